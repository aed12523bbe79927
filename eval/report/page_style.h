#pragma once
// The look of the page, on a screen of any width and on paper.

#include <string_view>

namespace mxref {

inline constexpr std::string_view page_style = R"css(
:root { --ink: #1f2933; --soft: #5b6770; --line: #d9dee3; --paper: #fdfcfa; --panel: #f4f2ee;
  --good: #1b6e53; --bad: #b3261e; --accent: #2f5d8a; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.55 Charter, "Bitstream Charter", "Source Serif Pro", Georgia, "DejaVu Serif", serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, th, caption, figcaption, .cards, .meta, nav { font-family: system-ui, "Segoe UI",
  "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--soft); letter-spacing: .02em; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .75rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h2 span { color: var(--soft); font-weight: 400; margin-right: .4em; }
p { margin: .75rem 0; }
.verdict { margin: 0 0 1.5rem; padding: 1.1rem 1.3rem; background: var(--panel); border-radius: 4px;
  border-left: 6px solid var(--good); font-size: 1.3rem; line-height: 1.4; }
.verdict.failed { border-left-color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 0; }
.cards div { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: 4px; }
.cards dt { font-size: .78rem; line-height: 1.3; color: var(--soft); }
.cards dd { margin: .15rem 0 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.4; }
caption { caption-side: top; text-align: left; font-size: .86rem; font-weight: 600; padding: 0 0 .4rem; }
th, td { padding: .38rem .7rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-size: .76rem; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--soft); vertical-align: bottom; }
td { font-family: system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
th:first-child, td:first-child { padding-left: 0; }
td:not(.t) { white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.soft { color: var(--soft); }
.bar { display: inline-block; width: 6rem; height: .55rem; background: var(--line); border-radius: 2px;
  overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; background: var(--accent); }
.pills { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; margin: .75rem 0; padding: 0;
  font: .8rem/1.3 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
.pills li { padding: .25rem .6rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); }
figure { margin: 1.25rem 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: .84rem; color: var(--soft); margin-top: .3rem; }
.wide svg { min-width: 34rem; }
pre { font-size: .78rem; line-height: 1.45; background: var(--panel); padding: .8rem 1rem; border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 1.5rem; }
.meta { font-size: .82rem; color: var(--soft); }
.meta dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
.meta dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { font-size: 16px; } main { padding: 1.25rem 1rem 3rem; }
  .verdict { font-size: 1.1rem; padding: .9rem 1rem; } .meta dl { grid-template-columns: 1fr; gap: 0; }
  .meta dd { margin-bottom: .4rem; } .cards { grid-template-columns: 1fr 1fr; }
}
@media print {
  @page { margin: 18mm 16mm; }
  body { background: none; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 1.6rem; } figure, table, .cards, .verdict, tr { break-inside: avoid; }
  .scroll { overflow: visible; } .wide svg { min-width: 0; } .verdict, .bar, .bar i, .pills li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace mxref
