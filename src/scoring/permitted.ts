import type { ASTNode } from '@marcbachmann/cel-js';
import { RULE_VARIABLES, type RuleField } from './fields.ts';

/** A fault of a condition; `at` is the position of the character where it begins. */
export interface Fault {
  message: string;
  at: number;
}

/** Methods of text, each linear in its length. Not `matches`: a regular expression can take for ever. */
const METHODS = new Set(['startsWith', 'endsWith', 'contains', 'lowerAscii', 'upperAscii', 'trim', 'size']);

/** Finds the first thing in a condition that rules may not use, in words that say what to write instead. */
export function findForbidden(node: ASTNode): Fault | undefined {
  return forbiddenHere(node) ?? childrenOf(node).map(findForbidden).find(Boolean);
}

function forbiddenHere(node: ASTNode): Fault | undefined {
  const fault = (message: string) => ({ message, at: node.start });
  switch (node.op) {
    case 'value':
      return node.args === null ? fault('null is not used here: has(lead.email) says whether there is one') : undefined;
    case 'id':
      return Object.hasOwn(RULE_VARIABLES, node.args)
        ? undefined
        : fault(`there is no ${node.args}: ${named(RULE_VARIABLES)}`);
    case '.':
      return unknownField(node);
    case 'call': {
      const [name, args] = node.args;
      if (name === 'size') return undefined;
      if (name !== 'has') return fault(`${name}() is not available: use has(), size() or ${METHOD_NAMES}`);
      const [field] = args;
      return field?.op === '.' ? undefined : fault('has() takes a field, as in has(lead.email)');
    }
    case 'rcall':
      return METHODS.has(node.args[0]) ? undefined : fault(`.${node.args[0]}() is not available: use ${METHOD_NAMES}`);
    case '==':
    case '!=':
    case 'in':
      return unknownValue(node.args);
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '&&':
    case '||':
    case '!_':
    case '?:':
    case '-':
    case '*':
    case '/':
    case '%':
    case '-_':
    case 'list':
      return undefined;
    case '+':
      return node.args.some(isNumber) ? undefined : fault('+ adds whole numbers only: texts are not put together here');
    case '.?':
    case '[]':
    case '[?]':
    case 'map':
    default: // what loops and other macros become
      return fault(`${node.op} is not available in rules`);
  }
}

const METHOD_NAMES = [...METHODS].map((name) => `.${name}()`).join(', ');
const named = (things: object) => `there is ${Object.keys(things).join(', ')}`;

function unknownField({ args: [of, name] }: Extract<ASTNode, { op: '.' }>): Fault | undefined {
  if (of.op !== 'id') return undefined;
  const fields = RULE_VARIABLES[of.args];
  if (!fields || Object.hasOwn(fields, name)) return undefined;
  return { message: `${of.args} has no ${name}: ${named(fields)}`, at: of.end + 1 };
}

/** Texts that are put together could grow, and so could the time to search them. */
function isNumber(node: ASTNode): boolean {
  if (node.op === 'value') return typeof node.args === 'bigint';
  if (node.op === 'call' || node.op === 'rcall') return node.args[0] === 'size';
  return ['+', '-', '*', '/', '%', '-_'].includes(node.op);
}

/** The field that a node reads, if it is one. */
function fieldOf(node: ASTNode): RuleField | undefined {
  if (node.op !== '.' || node.args[0].op !== 'id') return undefined;
  const fields = RULE_VARIABLES[node.args[0].args];
  return fields && Object.hasOwn(fields, node.args[1]) ? fields[node.args[1]] : undefined;
}

/** A comparison of a field with something that it never holds: mistyped, as a rule. */
function unknownValue([left, right]: [ASTNode, ASTNode]): Fault | undefined {
  for (const [field, other] of [
    [fieldOf(left), right],
    [fieldOf(right), left],
  ] as const) {
    if (!field?.values) continue;
    for (const literal of other.op === 'list' ? other.args : [other]) {
      if (literal.op !== 'value' || typeof literal.args !== 'string' || field.values.includes(literal.args)) continue;
      return { message: `it is never "${literal.args}": it is ${field.values.join(', ')}`, at: literal.start };
    }
  }
  return undefined;
}

function childrenOf({ args }: ASTNode): ASTNode[] {
  const nodes: ASTNode[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null && 'op' in value) nodes.push(value as ASTNode);
  };
  collect(args);
  return nodes;
}
