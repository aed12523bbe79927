#pragma once
// Speeds, as ratios within one run where there is something to compare with. To add a benchmark:
// one file with a function of this form, and a row in main.cc.

#include <functional>
#include <string_view>
#include <vector>

#include "eval/report/record.h"

namespace mxref::bench {

// Prints a table and adds its rows to the record.
using Benchmark = void (*)(int repeat, Record& record);

void bench_gemm(int repeat, Record& record);
void bench_gptq(int repeat, Record& record);
void bench_scaling(int repeat, Record& record);
void bench_linear(int repeat, Record& record);
void bench_model(int repeat, Record& record);
void bench_quantize(int repeat, Record& record);
void bench_rest(int repeat, Record& record);
void bench_rtl(int repeat, Record& record);

// Best wall-clock seconds of each piece of work over `repeat` rounds, or two and more where they
// take seconds. A round runs each once, so that what else the machine does meets all of them alike.
std::vector<double> best_seconds(int repeat, const std::vector<std::function<void()>>& works);

}  // namespace mxref::bench
