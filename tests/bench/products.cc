#include "tests/bench/products.h"

#include <cstdlib>
#include <random>

#include "emu/codec.h"
#include "emu/isa.h"
#include "emu/quantize.h"

namespace mxref::bench {

std::vector<float> normal(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> x(static_cast<size_t>(count));
  for (float& v : x) v = distribution(random);
  return x;
}

void limit_libraries() {
  const auto limit = [](dnnl::cpu_isa of_onednn, const char* of_libtorch) {
    dnnl::set_max_cpu_isa(of_onednn);
    setenv("ATEN_CPU_CAPABILITY", of_libtorch, /*overwrite=*/1);  // libtorch reads it once
  };
  switch (current_isa()) {
    case Isa::portable:
      limit(dnnl::cpu_isa::sse41, "default");
      break;
    case Isa::avx2:
      limit(dnnl::cpu_isa::avx2, "avx2");
      break;
    case Isa::avx512:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
      break;
    case Isa::avx512vnni:
      break;
  }
}

Binary32Product::Binary32Product(Shape s, uint64_t seed)
    : a(normal(s.M * s.K, seed)),
      b(normal(s.N * s.K, seed + 1)),
      shape_(s),
      d_(size_t(s.M * s.N)),
      engine_(dnnl::engine::kind::cpu, 0),
      stream_(engine_) {
  using dnnl::memory;
  using Tag = memory::format_tag;
  const auto binary32 = memory::data_type::f32;
  const memory::desc a_desc({s.M, s.K}, binary32, Tag::ab);
  const memory::desc b_desc({s.K, s.N}, binary32, Tag::ba);
  const memory::desc b_any({s.K, s.N}, binary32, Tag::any);
  const memory::desc d_desc({s.M, s.N}, binary32, Tag::ab);
  const dnnl::matmul::primitive_desc desc({a_desc, b_any, d_desc}, engine_);
  product_ = dnnl::matmul(desc);
  memory b_plain(b_desc, engine_, b.data()), b_packed(desc.weights_desc(), engine_);
  dnnl::reorder(b_plain, b_packed).execute(stream_, b_plain, b_packed);
  stream_.wait();
  arguments_ = {{DNNL_ARG_SRC, memory(a_desc, engine_, a.data())},
                {DNNL_ARG_WEIGHTS, b_packed},
                {DNNL_ARG_DST, memory(d_desc, engine_, d_.data())}};
}

void Binary32Product::matmul() {
  product_.execute(stream_, arguments_);
  stream_.wait();
}

void Binary32Product::sgemm() {
  const auto& [M, N, K] = shape_;
  dnnl_sgemm('N', 'T', M, N, K, 1, a.data(), K, b.data(), K, 0, d_.data(), N);
}

namespace {

MxTensor operand(const std::vector<float>& x, int64_t rows, int64_t K, const BlockFormat& format,
                 Data data, uint64_t seed) {
  const Prescale p = &format == &block_formats[0] ? Prescale{3, 4} : Prescale{};
  MxTensor q = quantize(x, {rows, K}, {.format = &format, .prescale = p, .block = format.block});
  if (data == Data::normal) return q;
  std::mt19937_64 random(seed);
  const ElementFormat& element = *format.element;
  for (uint8_t& code : q.codes) {
    do {
      code = uint8_t(random() & element.code_mask());
    } while (!is_finite(element, code));
  }
  std::fill(q.scales.begin(), q.scales.end(), format.scale->one);
  return q;
}

}  // namespace

QuantizedProduct::QuantizedProduct(const Binary32Product& values, Shape s, const BlockFormat& a,
                                   const BlockFormat& b, const Datapath& datapath, Data data)
    : engine_(make_kernel_engine()),
      a_(operand(values.a, s.M, s.K, a, data, 1)),
      b_(engine_->prepare(operand(values.b, s.N, s.K, b, data, 2), datapath)),
      d_(size_t(s.M * s.N)) {}

}  // namespace mxref::bench
