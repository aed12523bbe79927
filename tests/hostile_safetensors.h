#pragma once
// safetensors files made by hand, so that they can lie; and the damaged ones that a reader must
// refuse, each with what the message must name.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "emu/files/atomic_file.h"

namespace mxref {

// Header length, header, data: the length may be another than the header's.
inline std::string safetensors_bytes(const std::string& header, const std::string& data,
                                     int64_t header_length = -1) {
  const auto length = header_length < 0 ? uint64_t(header.size()) : uint64_t(header_length);
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

struct DamagedFile {
  std::string name, bytes;
  std::string message;  // a part of what must be said
};

inline std::vector<DamagedFile> damaged_safetensors() {
  const auto x = [](const std::string& fields, size_t bytes = 8) {
    return safetensors_bytes(R"({"x":{)" + fields + "}}", std::string(bytes, '\0'));
  };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const auto two = [&](const std::string& name, const std::string& offsets) {
    return safetensors_bytes(R"({"x":{)" + good + R"(},")" + name +
                                 R"(":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets + "}}",
                             std::string(12, '\0'));
  };
  const std::string shape = R"("dtype":"F32","data_offsets":[0,8],"shape":)";
  std::string deep = shape;
  deep.append(100000, '[').append(100000, ']');
  return {
      {"empty", "", "8-byte header length"},
      {"seven_bytes", "1234567", "8-byte header length"},
      {"header_longer_than_the_file", safetensors_bytes("{}", "", 3), "its header has 3 bytes"},
      {"header_of_2_to_the_63", safetensors_bytes("{}", "", INT64_MAX), "truncated"},
      {"header_of_no_bytes", safetensors_bytes("", ""), "no valid JSON"},
      {"header_cut_inside_the_json", safetensors_bytes("{\"x\":{}}", "", 5), "no valid JSON"},
      {"header_is_a_list", safetensors_bytes("[]", ""), "no JSON object"},
      {"header_is_not_utf8", safetensors_bytes("{\"\xff\":{}}", ""), "no valid JSON"},
      {"entry_is_a_number", safetensors_bytes(R"({"x":1})", ""), "tensor 'x' has no 'dtype'"},
      {"no_dtype", x(R"("shape":[2],"data_offsets":[0,8])"), "tensor 'x' has no 'dtype'"},
      {"no_shape", x(R"("dtype":"F32","data_offsets":[0,8])"), "tensor 'x' has no 'shape'"},
      {"no_offsets", x(R"("dtype":"F32","shape":[2])"), "tensor 'x' has no 'data_offsets'"},
      {"dtype_unknown", x(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), "dtype 'F31'"},
      {"dtype_is_a_number", x(R"("dtype":32,"shape":[2],"data_offsets":[0,8])"), "no string"},
      {"shape_is_a_number", x(shape + "2"), "shape is no list"},
      {"shape_is_negative", x(shape + "[-2]"), "holds -2"},
      {"shape_is_real", x(shape + "[2.0]"), "holds 2.0"},
      {"shape_is_huge", x(shape + "[1e300]"), "expected integers"},
      {"shape_is_above_63_bits", x(shape + "[9223372036854775808]"), "expected integers"},
      {"shape_is_above_64_bits", x(shape + "[99999999999999999999]"), "expected integers"},
      {"shape_holds_text", x(shape + R"(["2"])"), "expected integers"},
      {"shape_overflows", x(shape + "[4294967296,4294967296,2]"), "overflows"},
      {"shape_overflows_to_its_size", x(shape + "[4611686018427387904,2]"), "overflows"},
      {"shape_is_another_size", x(shape + "[3]"), "needs 12 bytes"},
      {"shape_nests_deeply", x(deep), "nests deeper"},
      {"offsets_reversed", x(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "outside"},
      {"offsets_beyond_the_data", x(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])"),
       "outside"},
      {"offsets_of_three", x(R"("dtype":"F32","shape":[2],"data_offsets":[0,4,8])"), "outside"},
      {"offsets_negative", x(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"), "holds -8"},
      {"offsets_overflow",
       x(R"("dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807])"),
       "outside"},
      {"overlap", two("y", "[4,8]"), "overlaps"},
      {"hole",
       safetensors_bytes(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                         std::string(8, '\0')),
       "belong to no tensor"},
      {"bytes_at_the_end", x(good, 9), "belong to no tensor"},
      {"name_twice", two("x", "[8,12]"), "\"x\" twice"},
      {"name_twice_by_an_escape", two("\\u0078", "[8,12]"), "\"x\" twice"},
      {"metadata_is_a_list",
       safetensors_bytes(R"({"__metadata__":[1],"x":{)" + good + "}}", std::string(8, '\0')),
       "__metadata__"},
      {"metadata_holds_a_number",
       safetensors_bytes(R"({"__metadata__":{"k":1},"x":{)" + good + "}}", std::string(8, '\0')),
       "'k' is no string"},
  };
}

}  // namespace mxref
