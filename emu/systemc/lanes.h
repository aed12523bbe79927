#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <systemc>
#include <vector>

namespace mxref {

// The payload of a wide port: one value a lane.
template <typename T>
struct Lanes : std::vector<T> {
  using std::vector<T>::vector;
  using std::vector<T>::operator=;
};
template <typename T>
std::ostream& operator<<(std::ostream& out, const Lanes<T>& lanes) {
  for (const T& lane : lanes) out << uint64_t(lane) << ' ';
  return out;
}
template <typename T>
void sc_trace(sc_core::sc_trace_file* file, const Lanes<T>& lanes, const std::string& name) {
  for (size_t i = 0; i < lanes.size(); ++i)
    sc_core::sc_trace(file, lanes[i], name + "_" + std::to_string(i));
}

}  // namespace mxref
