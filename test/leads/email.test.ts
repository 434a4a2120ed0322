import { cpuMs } from '../support/cpu.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailKey, isEmail } from '../../src/leads/email.ts';

describe('emailKey', () => {
  it.each([
    ['  Joao@Example.COM\n', 'joao@example.com'],
    ['info@MÜNCHEN.de', 'info@xn--mnchen-3ya.de'],
    ['info@xn--mnchen-3ya.de', 'info@xn--mnchen-3ya.de'],
    ['info@例え。jp', 'info@xn--r8jz45g.jp'],
    ['JOÃO@exemplo.com.br', 'joão@exemplo.com.br'],
  ])('brings %j to the form in which it is compared', (typed, key) => {
    expect(emailKey(typed)).toBe(key);
  });

  it('keeps dots and tags, which mean different people at some hosts', () => {
    expect(emailKey('joao.silva+crm@gmail.com')).toBe('joao.silva+crm@gmail.com');
  });

  it('takes one letter written in two ways for the same letter', () => {
    expect(emailKey('joa\u0303o@example.com')).toBe(emailKey('jo\u00e3o@example.com'));
  });

  it('does not read a domain as part of a URL', () => {
    expect(emailKey('a@ex%41mple.com')).toBe('a@ex%41mple.com');
    expect(emailKey('a@example.com/b')).toBe('a@example.com/b');
  });

  it('leaves its own result as it is', () => {
    fc.assert(fc.property(typedText, (typed) => emailKey(emailKey(typed)) === emailKey(typed)));
  });

  it('gives every address a key that is an address again', () => {
    fc.assert(fc.property(fc.emailAddress().filter(isEmail), (address) => isEmail(emailKey(address))));
  });
});

describe('isEmail', () => {
  it.each([
    'joao@example.com',
    'joao.silva@example.com',
    'joao@mail.1.com',
    'j@x.org',
    'joão@exemplo.com.br',
    'o’neill@example.ie',
    "o'neill+crm_2@mail.example.co.uk",
    'info@münchen.de',
    'дмитрий@почта.рф',
    '用户@例え。jp',
    `${'a'.repeat(64)}@example.com`,
    `a@${'b'.repeat(63)}.com`,
    `${'a'.repeat(64)}@${'b.'.repeat(93)}com`,
  ])('takes %j', (text) => {
    expect(isEmail(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no @', 'joao.example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'joao@'],
    ['no top-level domain', 'joao@localhost'],
    ['two @', 'joao@acme@example.com'],
    ['a space inside', 'joao silva@example.com'],
    ['a space around', ' joao@example.com'],
    ['a no-break space', 'joao\u00a0silva@example.com'],
    ['a line break', 'joao@example.com\n'],
    ['NUL', 'joao\0@example.com'],
    ['an invisible character', 'joao\u200b@example.com'],
    ['a direction mark', 'joao@exam\u202eple.com'],
    ['half of a surrogate pair', 'joao\ud800@example.com'],
    ['a dot at the end of the local part', 'joao.@example.com'],
    ['two dots in a row', 'joao..silva@example.com'],
    ['an empty label', 'joao@example..com'],
    ['a dot at the end', 'joao@example.com.'],
    ['a hyphen at the edge of a label', 'joao@-example.com'],
    ['an underscore in the domain', 'joao@exam_ple.com'],
    ['an IP address', 'joao@192.168.0.1'],
    ['an IP literal', 'joao@[192.168.0.1]'],
    ['an IP address in hexadecimal', 'joao@0x7f.1'],
    ['a port', 'joao@example.com:25'],
    ['a path', 'joao@example.com/inbox'],
    ['a domain in URL escapes', 'joao@ex%41mple.com'],
    ['punycode that decodes to nothing', 'joao@xn--a.com'],
    ['a display name', 'João <joao@example.com>'],
    ['a list', 'joao@example.com,maria@example.com'],
    ['a local part of 65 bytes', `${'a'.repeat(65)}@example.com`],
    ['a label of 64 characters', `a@${'b'.repeat(64)}.com`],
    ['255 characters', `a@${'b.'.repeat(125)}com`],
  ])('refuses %s', (_what, text) => {
    expect(isEmail(text)).toBe(false);
  });

  it('costs next to nothing for the longest text', async () => {
    const longest = () => {
      for (const filler of ['a', '.', 'a.', '-', 'a-', '@', 'ã']) isEmail(filler.repeat(100_000));
      for (const filler of ['a', '.', 'a.', '-', 'a-', '@', 'ã']) isEmail(filler.repeat(60) + '@' + filler.repeat(60));
    };
    expect(await cpuMs(longest)).toBeLessThan(50);
  });
});

const typedText = fc.oneof(
  fc.emailAddress(),
  fc.string({ unit: 'binary' }),
  fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })).map((parts) => parts.join('@')),
);
