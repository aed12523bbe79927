#include "eval/tasks/item_file.h"

#include <zlib.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

// A small file may unpack to any size: what is larger is refused.
constexpr size_t largest_unpacked = size_t(1) << 30;

// All members of the file, one behind the other, as gunzip gives them.
std::string unzip(const std::string& packed, const std::string& file) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();  // 16: a gzip header
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string text;
  std::string_view rest = packed;  // behind what the stream was given
  for (;;) {
    char chunk[1 << 16];
    if (stream.avail_in == 0) {
      const std::string_view piece = rest.substr(0, sizeof chunk);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = uInt(piece.size());
      rest.remove_prefix(piece.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    const int status = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk, sizeof chunk - stream.avail_out);
    if (text.size() > largest_unpacked)
      throw InputError(file + ": unpacks to more than 1 GiB; expected a file of task items");
    if (status != Z_OK && status != Z_STREAM_END)
      throw InputError(file + ": damaged gzip data at byte " +
                       std::to_string(packed.size() - rest.size() - stream.avail_in));
    if (status != Z_STREAM_END) continue;
    if (stream.avail_in == 0 && rest.empty()) return text;
    inflateReset(&stream);
  }
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  std::string text = read_file(path);
  return text.starts_with("\x1f\x8b") ? unzip(text, path.string()) : text;
}

void read_json_lines(const std::filesystem::path& path,
                     const std::function<bool(const nlohmann::json&, int64_t)>& line) {
  const std::vector<std::string> lines = split_lines(read_text(path));
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(" \t") == std::string::npos) continue;
    const std::string where = path.string() + ":" + std::to_string(i + 1);
    if (!line(parse_json_object(where, lines[i]), int64_t(i + 1))) break;
  }
}

LabelFile read_labels_beside(const std::filesystem::path& items) {
  std::filesystem::path stem = items;
  if (stem.extension() == ".gz") stem.replace_extension();
  const std::filesystem::path path = stem.replace_extension().string() + "-labels.lst";
  if (!std::filesystem::exists(path)) return {path.string(), {}};
  return {path.string(), split_lines(read_text(path))};
}

}  // namespace mxref
