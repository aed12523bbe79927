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
h1, h2, th, figcaption, .cards, .meta, .words, .planted, .note { font-family: system-ui, "Segoe UI",
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
.cards small { font-size: .85rem; font-weight: 400; }
.cards dd { margin: .15rem 0 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
/* A shadow at the edge behind which a table goes on; the table's own ground covers it at its ends. */
.scroll { overflow-x: auto; background: no-repeat var(--paper);
  background-image: linear-gradient(to right, var(--paper) 40%, transparent), linear-gradient(to left, var(--paper) 40%, transparent),
    linear-gradient(to right, #1f293340, transparent), linear-gradient(to left, #1f293340, transparent);
  background-position: left, right, left, right; background-size: 2.5rem 100%, 2.5rem 100%, .9rem 100%, .9rem 100%;
  background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.4; }
th, td { padding: .38rem .7rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-size: .76rem; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--soft); vertical-align: bottom; }
td { font-family: system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
th:first-child, td:first-child { padding-left: 0; position: sticky; left: 0; background: var(--paper); }
td:not(.t) { white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.soft { color: var(--soft); }
.bar { display: inline-block; width: 6rem; height: .55rem; background: var(--line); border-radius: 2px;
  overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; background: var(--accent); }
.planted { columns: 2 20rem; column-gap: 1.5rem; list-style: none; margin: .75rem 0; padding: 0; font-size: .82rem; line-height: 1.4; }
.planted li { padding: .25rem 0; break-inside: avoid; overflow-wrap: anywhere; }
.note { font-size: .82rem; color: var(--soft); }
.words { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; font-size: .86rem; line-height: 1.45; }
.words dt { font-weight: 600; } .words dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.25rem 0; }
figure svg { display: block; width: 100%; max-width: 34rem; height: auto; }
figcaption { font-size: .84rem; color: var(--soft); margin-top: .3rem; }
figcaption.title { font-size: .86rem; font-weight: 600; color: var(--ink); margin: 0 0 .4rem; break-after: avoid; }
pre { font-size: .78rem; line-height: 1.45; background: var(--panel); padding: .8rem 1rem; border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 1.5rem; }
.meta { font-size: .82rem; color: var(--soft); }
.meta dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
.meta dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { font-size: 16px; } main { padding: 1.25rem 1rem 3rem; }
  .verdict { font-size: 1.1rem; padding: .9rem 1rem; } .meta dl { grid-template-columns: 1fr; gap: 0; }
  .words { grid-template-columns: 1fr; gap: 0; } .meta dd, .words dd { margin-bottom: .4rem; }
  .cards { grid-template-columns: 1fr 1fr; } th, td { padding: .35rem .45rem; }
}
@media print {
  @page { margin: 18mm 16mm; }
  body { background: none; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 1.6rem; } figure, table, .cards, .verdict, tr { break-inside: avoid; }
  figure svg { max-width: 24rem; } .scroll { overflow: visible; background: none; } th:first-child, td:first-child { background: none; } .verdict, .bar, .bar i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace mxref
