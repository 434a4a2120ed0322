/** What is mutated, and the tests that have to notice: those of its folder, and those that look at it from outside. */
export interface Room {
  folder: string;
  /** Names of files, without their endings; by default all of the folder and those in it. */
  only?: string[];
  except?: string[];
  tests: string[];
  /** So many mutants, chosen at random: each takes a database or a server. Elsewhere all of them. */
  sample?: number;
  /** It is workflow code: a mutant is built into the bundle. */
  inBundle?: boolean;
}

const PURE_SCORING = ['built-in', 'calculate', 'fields', 'language', 'permitted', 'rule-set', 'words'];
const PURE_LEADS = ['canonical-hash', 'email', 'etag', 'example-lead', 'lead', 'submission'];
const PURE_OUTBOX = ['failure', 'order'];

export const ROOMS: Record<string, Room> = {
  'scoring-pure': {
    folder: 'src/scoring',
    only: PURE_SCORING,
    tests: ['test/scoring/{built-in,calculate,rule-set,words}.test.ts', 'test/http/openapi-file.test.ts'],
  },
  'leads-pure': {
    folder: 'src/leads',
    only: PURE_LEADS,
    tests: ['test/leads/{canonical-hash,email,etag,lead,submission}.test.ts', 'test/http/openapi-file.test.ts'],
  },
  'outbox-pure': { folder: 'src/outbox', only: PURE_OUTBOX, tests: ['test/outbox/{failure,order}.test.ts'] },
  scoring: {
    folder: 'src/scoring',
    except: PURE_SCORING,
    tests: ['test/scoring/*.test.ts', 'test/http/score*.test.ts', 'test/workflows/rescore-leads.test.ts'],
    sample: 60,
  },
  leads: {
    folder: 'src/leads',
    except: PURE_LEADS,
    tests: ['test/leads/*.test.ts', 'test/http/{lead,idempotency,timeline}*.test.ts'],
    sample: 60,
  },
  outbox: {
    folder: 'src/outbox',
    except: PURE_OUTBOX,
    tests: [
      'test/outbox/*.test.ts',
      'test/workflows/{assignee,lead-enrichment,priority}*.test.ts',
      'test/temporal/search-attributes.test.ts',
      'test/personal-data/erasure*.test.ts',
    ],
    sample: 60,
  },
  reconciler: {
    folder: 'src/reconciler',
    tests: ['test/reconciler/*.test.ts', 'test/workflows/rescore-leads.test.ts'],
    sample: 60,
  },
  onboarding: {
    folder: 'src/onboarding',
    tests: ['test/{onboarding,activities,workflows}/*.test.ts', 'test/http/{onboarding,enrichment}*.test.ts'],
    sample: 60,
  },
  activities: {
    folder: 'activities',
    tests: [
      'test/{activities,workflows,webhooks,failures,personal-data,personal-data/retention}/*.test.ts',
      'test/http/enrichment.test.ts',
    ],
    sample: 60,
  },
  workflows: {
    folder: 'workflows',
    except: ['activities', 'contract', 'enrichment-contract', 'index', 'rescore-contract', 'retention-contract'],
    tests: ['test/{workflows,webhooks,failures}/*.test.ts', 'test/personal-data/retention/retention.test.ts'],
    sample: 60,
    inBundle: true,
  },
};
