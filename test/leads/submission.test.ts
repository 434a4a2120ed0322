import { describe, expect, it } from 'vitest';
import { leadChangeSchema, MAX_ATTRIBUTES_BYTES, submissionSchema } from '../../src/leads/submission.ts';
import { LEAST_LEAD, LEAST_LEAD_STORED } from '../support/least-lead.ts';

const issuesOf = (schema: typeof submissionSchema | typeof leadChangeSchema, body: object) =>
  (schema.safeParse(body).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

/** Attributes of so many bytes as JSON, an even number. */
const attributesOf = (bytes: number) => ({ note: 'é'.repeat((bytes - '{"note":""}x'.length) / 2) + 'x' });

describe('a submission', () => {
  it('needs an organization and a name, and has the rest by default', () => {
    expect(submissionSchema.parse(LEAST_LEAD)).toEqual(LEAST_LEAD_STORED);
    expect(issuesOf(submissionSchema, {})).toHaveLength(2);
  });

  it('is trimmed, and may say null', () => {
    const nothing = { email: null, phone: null, company: null, assignedTo: null };
    expect(submissionSchema.parse({ ...LEAST_LEAD, ...nothing })).toMatchObject(nothing);
    const typed = { name: ' Ana ', email: ' ana@acme.example ', phone: ' 1 ', company: ' Acme ' };
    expect(submissionSchema.parse({ ...LEAST_LEAD, ...typed })).toMatchObject({
      name: 'Ana',
      email: 'ana@acme.example',
      phone: '1',
      company: 'Acme',
    });
  });

  it.each([
    ['a long name', { name: 'x'.repeat(201) }, 'name: must have at most 200 characters'],
    ['text that is no address', { email: 'ana' }, 'email: must be an e-mail address, as in joao@example.com'],
    ['a long phone number', { phone: '1'.repeat(51) }, 'phone: must have at most 50 characters'],
    ['a long company', { company: 'x'.repeat(201) }, 'company: must have at most 200 characters'],
    [
      'too many attributes',
      { attributes: attributesOf(MAX_ATTRIBUTES_BYTES + 2) },
      'attributes: must have at most 65536 bytes as JSON',
    ],
    ['an unknown field', { nmae: 'Ana' }, ': Unrecognized key: "nmae"'],
  ])('with %s is refused', (_what, change, issue) => {
    expect(issuesOf(submissionSchema, { ...LEAST_LEAD, ...change })).toContain(issue);
  });

  it('may bring attributes up to the very bound, in bytes', () => {
    const attributes = attributesOf(MAX_ATTRIBUTES_BYTES);
    expect(Buffer.byteLength(JSON.stringify(attributes))).toBe(MAX_ATTRIBUTES_BYTES);
    expect(issuesOf(submissionSchema, { ...LEAST_LEAD, attributes })).toEqual([]);
  });
});

describe('a change', () => {
  it('has what was sent, and no defaults', () => {
    expect(leadChangeSchema.parse({ company: null })).toEqual({ company: null });
  });

  it('names at least one field, and none that cannot be changed', () => {
    expect(issuesOf(leadChangeSchema, {})).toEqual([': must name at least one field to change']);
    expect(issuesOf(leadChangeSchema, { name: 'Ana', organizationId: 'org-2' })).toEqual([
      ': Unrecognized key: "organizationId"',
    ]);
  });
});
