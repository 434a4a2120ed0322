import { randomUUID } from 'node:crypto';
import type { Person } from '../../../personal-data/person.ts';

type Body = NonNullable<RequestInit['body']> | object;

export interface Call {
  method: string;
  path: string;
  body?: Body;
  headers?: Record<string, string>;
}

/** What is there before the calls. */
export interface Known {
  /** A lead whose onboarding is over. */
  leadId: string;
  /** Of another lead of the organization. */
  email: string;
  /** Of a key that may only read. */
  readOnly: string;
}

/** What a caller does wrong, the status that tells them so, and the call, with a person's data wherever it can be. */
export type ErrorPath = [what: string, status: number, call: (person: Person, known: Known) => Call];

const JSON_TYPE = { 'content-type': 'application/json' };
const post = (body: Body, headers: Record<string, string> = {}): Call => ({
  ...{ method: 'POST', path: '/api/leads', body },
  headers: { ...JSON_TYPE, ...headers },
});
const postLead = ({ lead }: Person, change: object, headers?: Record<string, string>) =>
  post({ ...lead, ...change }, headers);
const patch = (leadId: string, body: Body, headers: Record<string, string> = {}): Call => ({
  ...{ method: 'PATCH', path: `/api/leads/${leadId}`, body },
  headers: { ...JSON_TYPE, ...headers },
});
const get = (path: string, headers: Record<string, string> = {}): Call => ({ method: 'GET', path, headers });
const asForm = ({ lead }: Person) => new URLSearchParams({ name: lead.name, email: lead.email, phone: lead.phone });
const inUrl = ({ lead }: Person) => new URLSearchParams({ email: lead.email, q: lead.name }).toString();
const nested = (levels: number, value: unknown): unknown => (levels === 0 ? value : { in: nested(levels - 1, value) });

function asMultipart({ lead }: Person): FormData {
  const form = new FormData();
  form.set('name', lead.name);
  form.set('email', lead.email);
  return form;
}

const INTAKE: ErrorPath[] = [
  ['JSON that ends too early', 400, ({ lead }) => post(JSON.stringify(lead).slice(0, -1))],
  ['JSON with a name for a token', 400, ({ lead }) => post(`{"name": ${lead.name}}`)],
  [
    'JSON with what looks like a stack trace',
    400,
    ({ lead }) => post(`{"name": "\n    at ${lead.name} (${lead.email})`),
  ],
  ['a list for a body', 400, ({ lead }) => post([lead])],
  ['a text for a body', 400, ({ lead }) => post(JSON.stringify(lead.name))],
  ['a list for a name', 400, (person) => postLead(person, { name: [person.lead.name] })],
  ['an object for a phone', 400, (person) => postLead(person, { phone: { home: person.lead.phone } })],
  ['a name that is too long', 400, (person) => postLead(person, { name: person.lead.name.repeat(20) })],
  ['an e-mail that is none', 400, (person) => postLead(person, { email: `${person.token}@` })],
  ['a name as status', 400, (person) => postLead(person, { status: person.lead.name })],
  ['a field that is not known', 400, (person) => postLead(person, { [person.token]: person.lead.email })],
  ['attributes that are text', 400, (person) => postLead(person, { attributes: person.lead.name })],
  ['attributes that are too deep', 400, (person) => postLead(person, { attributes: nested(25, person.lead.name) })],
  ['NUL in a name', 400, (person) => postLead(person, { name: `${person.lead.name}\0` })],
  ['half a surrogate pair', 400, (person) => postLead(person, { company: `${person.lead.company}\ud800` })],
  [
    'bytes that are not UTF-8',
    400,
    ({ lead }) => post(Buffer.from(JSON.stringify(lead).replace('Zul', '\xe9'), 'latin1')),
  ],
  ['plain text', 415, ({ lead }) => post(JSON.stringify(lead), { 'content-type': 'text/plain' })],
  ['XML', 415, ({ lead }) => post(`<lead><email>${lead.email}</email></lead>`, { 'content-type': 'application/xml' })],
  [
    'another charset',
    415,
    ({ lead }) => post(JSON.stringify(lead), { 'content-type': 'application/json; charset=latin1' }),
  ],
  [
    'a name in the content type',
    415,
    ({ lead, token }) => post(JSON.stringify(lead), { 'content-type': `text/${token}` }),
  ],
  ['a form', 415, (person) => ({ method: 'POST', path: '/api/leads', body: asForm(person) })],
  ['a form in parts', 415, (person) => ({ method: 'POST', path: '/api/leads', body: asMultipart(person) })],
  [
    'a body that is too large',
    413,
    (person) => postLead(person, { attributes: { a: person.lead.name.repeat(60_000) } }),
  ],
  ['another organization', 403, (person) => postLead(person, { organizationId: person.lead.company })],
  ['a query', 400, (person) => ({ ...postLead(person, {}), path: `/api/leads?${inUrl(person)}` })],
  ['an Idempotency-Key of 300 characters', 400, (p) => postLead(p, {}, { 'idempotency-key': p.lead.email.repeat(10) })],
  ['an actor of 300 characters', 400, (person) => postLead(person, {}, { 'x-actor-id': person.lead.email.repeat(10) })],
  ['a key that may not write', 403, (p, { readOnly }) => postLead(p, {}, { authorization: `Bearer ${readOnly}` })],
  ['a name for a key', 401, (person) => postLead(person, {}, { authorization: `Bearer ${person.lead.email}` })],
  ['a password for a key', 401, (p) => postLead(p, {}, { authorization: `Basic ${btoa(`${p.token}:${p.token}`)}` })],
  ['a duplicate', 200, (person, { email }) => postLead(person, { email })],
];

const LEADS: ErrorPath[] = [
  ['a change to a taken e-mail', 409, (_, { leadId, email }) => patch(leadId, { email: email.toUpperCase() })],
  ['a change of a field that is not known', 400, ({ lead }, { leadId }) => patch(leadId, { emial: lead.email })],
  ['a change to wrong types', 400, ({ lead }, { leadId }) => patch(leadId, { name: 1, email: [lead.email] })],
  ['a change that is no JSON', 400, ({ lead }, { leadId }) => patch(leadId, `{"email": "${lead.email}`)],
  [
    'a change under an ETag',
    412,
    ({ lead, token }, { leadId }) => patch(leadId, { name: lead.name }, { 'if-match': `"${token}"` }),
  ],
  ['a change of an unknown lead', 404, ({ lead }) => patch(randomUUID(), { name: lead.name, email: lead.email })],
  [
    'a change as a form',
    415,
    (person, { leadId }) => ({ method: 'PATCH', path: `/api/leads/${leadId}`, body: asForm(person) }),
  ],
  ['a name for an id', 400, ({ lead }) => get(`/api/leads/${encodeURIComponent(lead.email)}`)],
  ['an export by e-mail', 400, ({ lead }) => get(`/api/leads/${encodeURIComponent(lead.email)}/export`)],
  [
    'an erasure by e-mail',
    400,
    ({ lead }) => ({ ...get(`/api/leads/${encodeURIComponent(lead.email)}`), method: 'DELETE' }),
  ],
  ['a search', 200, ({ lead }) => get(`/api/leads?q=${encodeURIComponent(lead.email)}`)],
  ['a search by a parameter that is not known', 400, (person) => get(`/api/leads?${inUrl(person)}`)],
  ['a search by a status of no enum', 400, ({ token }) => get(`/api/leads?status=${token}`)],
  ['a cursor that is none', 400, ({ lead }) => get(`/api/leads?cursor=${encodeURIComponent(lead.email)}`)],
  ['a limit that is no number', 400, ({ token }) => get(`/api/leads?limit=${token}`)],
  ['a URL that is too long', 414, ({ lead }) => get(`/api/leads?q=${encodeURIComponent(lead.name.repeat(400))}`)],
  ['a path that is not known', 404, ({ lead }) => get(`/people/${encodeURIComponent(lead.email)}`)],
  ['a path that is not known under /api', 404, ({ lead }) => get(`/api/people/${encodeURIComponent(lead.name)}`)],
  [
    'a method that is not known',
    405,
    ({ lead }) => ({ method: 'PUT', path: '/api/leads', body: lead, headers: JSON_TYPE }),
  ],
  [
    'a command with a body',
    409,
    ({ lead }, { leadId }) => ({
      method: 'POST',
      path: `/api/leads/${leadId}/onboarding/cancel`,
      body: lead,
      headers: JSON_TYPE,
    }),
  ],
  ['an inbox of nobody', 400, ({ lead }) => get(`/api/notifications?userId=${lead.email.repeat(20)}`)],
  [
    'a request id that is an e-mail',
    404,
    ({ lead }) => get(`/api/leads/${randomUUID()}`, { 'x-request-id': lead.email }),
  ],
  [
    'a form with a field that is not known',
    400,
    (person) => ({
      method: 'POST',
      path: '/forms/leads',
      body: new URLSearchParams({ ...Object.fromEntries(asForm(person)), [person.token]: person.token }),
    }),
  ],
  [
    'a form in JSON that ends too early',
    400,
    ({ lead }) => ({
      method: 'POST',
      path: '/forms/leads',
      body: JSON.stringify(lead).slice(0, -1),
      headers: JSON_TYPE,
    }),
  ],
  ['a form without a key', 403, (person) => ({ method: 'POST', path: '/forms/leads', body: asForm(person) })],
  [
    'a form in parts, of a visitor',
    415,
    (person) => ({ method: 'POST', path: '/forms/leads', body: asMultipart(person) }),
  ],
  [
    'a key for scopes that there are not',
    400,
    ({ lead }) => ({ method: 'POST', path: '/api/keys', body: { name: 'x', scopes: [lead.name] }, headers: JSON_TYPE }),
  ],
];

export const ERROR_PATHS = [...INTAKE, ...LEADS];

/** What a browser or a proxy adds to any call, about whom it likes. */
export const withPassengers = (call: Call, { lead, token }: Person): Call => ({
  ...call,
  headers: {
    'user-agent': `Mozilla/5.0 (${lead.name})`,
    referer: `https://www.example.com/thank-you?email=${encodeURIComponent(lead.email)}`,
    cookie: `visitor=${token}`,
    ...call.headers,
  },
});
