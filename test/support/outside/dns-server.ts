import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode, type Question } from 'dns-packet';
import { onTestFinished } from 'vitest';

/** What a name has. A function is asked at each query: `rebinding`. */
export interface Records {
  A?: string[] | (() => string[]);
  AAAA?: string[];
  MX?: { exchange: string; preference: number }[];
}

const REFUSED_NAME = 3; // NXDOMAIN
const SERVFAIL = 2;

/** A real DNS server on a UDP port of this machine. It ends with the test. */
export async function startDnsServer(zone: Record<string, Records | 'silent' | 'broken'> = {}) {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (!question) return;
    asked.push(`${question.name} ${question.type}`);
    const records = zone[question.name];
    if (records === 'silent') return;
    const rcode = records === undefined ? REFUSED_NAME : records === 'broken' ? SERVFAIL : 0;
    const answers = typeof records === 'object' ? answersTo(question, records) : [];
    const { id } = query;
    socket.send(encode({ type: 'response', id, flags: 0x180 | rcode, questions: [question], answers }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let open = true;
  const close = () => {
    if (open) socket.close();
    open = false;
  };
  onTestFinished(close);
  return { servers: [`127.0.0.1:${socket.address().port}`], asked, zone, close };
}

function answersTo({ name, type }: Question, { A = [], AAAA = [], MX = [] }: Records): Answer[] {
  const record = { name, ttl: 60 };
  if (type === 'A') return (typeof A === 'function' ? A() : A).map((data) => ({ ...record, type, data }));
  if (type === 'AAAA') return AAAA.map((data) => ({ ...record, type, data }));
  if (type === 'MX') return MX.map((data) => ({ ...record, type, data }));
  return [];
}
