/** Light and dark, from a phone's width on. */
export const STYLE = `
:root {
  --ground: #fff; --raised: #f4f5f7; --text: #16191d; --quiet: #4b5563; --line: #c9ced6; --link: #0b5cad;
  --good: #14713d; --bad: #b3261e; --busy: #8a5a00; --other: #5b3fb0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2127; --text: #e8eaed; --quiet: #b3bac4; --line: #434b57; --link: #8ab8f5;
    --good: #6fcf97; --bad: #ff9a92; --busy: #f0c060; --other: #c0adff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; background: var(--ground); color: var(--text); }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--ground); padding: 8px; z-index: 1; }
header { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; padding: 10px 16px; border-bottom: 1px solid var(--line); background: var(--raised); }
header nav { display: flex; gap: 14px; }
header nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; border-bottom: 3px solid var(--link); }
header .find { margin-left: auto; display: flex; gap: 6px; }
main { padding: 16px; max-width: 1500px; margin: auto; }
form { margin: 0; }
h1 { font-size: 22px; margin: 0 0 14px; }
h2 { font-size: 15px; margin: 18px 0 6px; }
.state { font-size: 13px; font-weight: 400; margin-left: 10px; color: var(--quiet); }
.state.live { color: var(--good); }
.state.offline, .state.problem { color: var(--bad); }
input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; min-height: 36px; }
button { background: var(--raised); cursor: pointer; }
.flow { display: grid; gap: 10px; grid-template-columns: repeat(6, minmax(0, 1fr)); }
.column { background: var(--raised); border: 1px solid var(--line); border-top: 4px solid var(--line); border-radius: 8px; padding: 8px 10px; min-height: 110px; }
.column h2 { margin: 0 0 6px; display: flex; justify-content: space-between; gap: 8px; }
.column.created, .column.notified { border-top-color: var(--link); }
.column.enriching { border-top-color: var(--busy); }
.column.enriched { border-top-color: var(--other); }
.column.scored { border-top-color: var(--good); }
.column.troubled { border-top-color: var(--bad); }
.column ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 4px; grid-template-columns: minmax(0, 1fr); }
.column p { margin: 4px 0; color: var(--quiet); }
.column a { display: block; padding: 4px 6px; border-left: 3px solid var(--line); background: var(--ground); text-decoration: none; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 13px; }
.column a.critical { border-left-color: var(--bad); }
.column a.high { border-left-color: var(--busy); }
.id, code { font-family: ui-monospace, monospace; font-size: 13px; }
.of { color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 16px 0; }
.facts dt { color: var(--quiet); font-size: 13px; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.charts { display: grid; gap: 12px 20px; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.charts h2 { grid-column: 1 / -1; margin-bottom: 0; }
figure { margin: 0; }
figcaption { font-size: 13px; color: var(--quiet); }
.chart { width: 100%; height: 80px; background: var(--raised); border-bottom: 1px solid var(--line); }
.chart rect.created { fill: var(--link); }
.chart rect.scored { fill: var(--good); }
.chart rect.failed { fill: var(--bad); }
.chart .line { fill: none; stroke: var(--quiet); stroke-width: 3; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.chart .line.p50, .chart .line.score { stroke: var(--good); }
.chart .line.p95 { stroke: var(--busy); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 140px; }
th { font-size: 13px; color: var(--quiet); }
.action { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; }
form.action { margin: 12px 0; }
label { display: grid; gap: 2px; font-size: 13px; color: var(--quiet); }
.sign-in { display: grid; gap: 12px; max-width: 420px; }
[role=alert] { color: var(--bad); font-weight: 600; white-space: pre-line; }
.ledger div { display: flex; gap: 12px; justify-content: space-between; max-width: 520px; border-bottom: 1px solid var(--line); padding: 4px 0; }
.ledger dd { margin: 0; white-space: nowrap; }
@media (max-width: 1000px) { .flow { grid-template-columns: repeat(3, minmax(0, 1fr)); } .charts { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 560px) { .flow { grid-template-columns: minmax(0, 1fr); } .column { min-height: 0; } header .find { margin-left: 0; width: 100%; } header .find input { flex: 1; } }
`;
