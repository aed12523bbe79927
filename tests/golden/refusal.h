#pragma once
// What a reader says to a bad file, and how much memory it asked for on the way.

#include <filesystem>
#include <functional>
#include <string>

namespace mxref {

// The message of the InputError that `read` throws; "" where it throws none. Any other exception
// ends the test.
std::string refusal(const std::function<void()>& read);
// Opens a model, then reads each of its tensors.
void read_everything(const std::filesystem::path& model);
void check_refusal(const std::string& message, const std::string& part);

// The largest block that was asked of operator new since reset_largest_allocation().
size_t largest_allocation();
void reset_largest_allocation();

}  // namespace mxref
