#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "eval/tasks/choice_tasks.h"
#include "eval/tasks/item_file.h"
#include "eval/tasks/item_template.h"
#include "eval/tasks/python_text.h"

namespace mxref {
namespace {

using nlohmann::json;

bool has_fields(const json& item, const std::vector<std::string_view>& fields) {
  return std::ranges::all_of(fields,
                             [&](std::string_view f) { return item.contains(std::string(f)); });
}

std::string describe(const std::vector<std::string_view>& fields) {
  std::string text;
  for (std::string_view field : fields)
    text += (text.empty() ? "{\"" : ", \"") + std::string(field) + "\"";
  return text + "}";
}

// The form that the item has; where it has none, the error names what is missing of the nearest.
const ItemForm& form_of(const ChoiceTask& task, const json& item, ItemSource source) {
  const ItemForm* nearest = nullptr;
  int64_t most = -1;
  for (const ItemForm& form : task.forms) {
    if (has_fields(item, form.fields)) return form;
    const auto present = std::ranges::count_if(
        form.fields, [&](std::string_view f) { return item.contains(std::string(f)); });
    if (present > most) {
      most = present;
      nearest = &form;
    }
    source.expected += (source.expected.empty() ? "" : " or ") + describe(form.fields);
  }
  for (std::string_view field : nearest->fields)
    if (!item.contains(std::string(field))) source.fail(field, "is missing");
  std::abort();  // unreachable: a form with all its fields was returned above
}

// The index of a choice: where there are labels, that of the one which the value spells (1 spells
// "1", true "true"); where there are none the value itself, a number or a digit.
int64_t index_of(const json& value, const std::vector<std::string>& labels, int64_t choices,
                 std::string_view field, const ItemSource& source) {
  const bool is_scalar = value.is_string() || value.is_number_integer() || value.is_boolean();
  const std::string text = value.is_string() ? python_strip(value.get_ref<const std::string&>())
                           : is_scalar       ? value.dump()
                                             : "";
  std::optional<int64_t> index;
  if (!labels.empty()) {
    const auto found = std::ranges::find(labels, text);
    if (is_scalar && found != labels.end()) index = found - labels.begin();
  } else if (value.is_number_integer()) {
    index = value.get<int64_t>();
  } else if (text.size() == 1 && text[0] >= '0' && text[0] <= '9') {
    index = text[0] - '0';
  }
  if (!index || *index < 0 || *index >= choices)
    source.fail(field, shown(value) + " is none of the " + std::to_string(choices) + " choices");
  return *index;
}

std::string placeholder(std::string_view path) { return std::string("{").append(path).append("}"); }

std::vector<std::string> labels_of(const ItemForm& form, const json& item,
                                   const ItemSource& source) {
  std::vector<std::string> labels;
  for (std::string_view label : form.gold_labels) {
    if (label.ends_with("[]")) return expand_template(placeholder(label), item, source);
    labels.emplace_back(label);
  }
  return labels;
}

ChoiceRequest make_request(std::string context, const std::string& choice, std::string_view field,
                           const ItemSource& source) {
  if (choice.empty()) source.fail(field, "an empty choice");
  return {std::move(context), " " + choice, python_length(choice)};
}

// Items of one of the task's own forms.
class ItemReader {
 public:
  ItemReader(const ChoiceTask& task, const std::string& file)
      : task_(task), labels_(read_labels_beside(file)) {}

  void read(const json& item, ItemSource source, ChoiceItems& out) {
    const ItemForm& form = form_of(task_, item, source);
    source.expected = describe(form.fields);
    if (out.items.empty()) out.form = form.name;
    if (out.form != form.name)
      source.fail("",
                  "an item of the form " + std::string(form.name) + " after items of " + out.form);
    ChoiceItem result;
    const auto contexts = expand(form, form.contexts, item, source);
    const auto choices = expand(form, form.choices, item, source);
    const size_t count = std::max(contexts.size(), choices.size());
    if (count < 2) source.fail(form.fields[1], "fewer than two choices");
    for (size_t i = 0; i < count; ++i)
      result.requests.push_back(make_request(contexts[contexts.size() == 1 ? 0 : i],
                                             choices[choices.size() == 1 ? 0 : i], form.choices[0],
                                             source));
    result.gold = gold(form, item, int64_t(out.items.size()), int64_t(count), source);
    out.items.push_back(std::move(result));
  }

  // All items are read: labels beside them that are left over were meant for others.
  void finish(const std::string& file, size_t items) const {
    const size_t lines = labels_.lines.size();
    if (takes_labels_ && lines != items)
      throw InputError(labels_.path + ": " + std::to_string(lines) + " labels for the " +
                       std::to_string(items) + " items of " + file);
  }

 private:
  static std::vector<std::string> expand(const ItemForm& form,
                                         const std::vector<std::string_view>& templates,
                                         const json& item, const ItemSource& source) {
    std::vector<std::string> texts;
    for (std::string_view text : templates)
      for (const std::string& one : expand_template(text, item, source))
        texts.push_back(form.tidy ? form.tidy(one) : one);
    return texts;
  }

  int64_t gold(const ItemForm& form, const json& item, int64_t index, int64_t choices,
               const ItemSource& source) {
    if (item.contains(std::string(form.gold)) || labels_.lines.empty())
      return index_of(item_field(item, form.gold, source), labels_of(form, item, source), choices,
                      form.gold, source);
    const ItemSource line{labels_.path, index + 1,
                          "one label a line for each item of " + source.file};
    if (index >= int64_t(labels_.lines.size())) line.fail("", "is missing");
    takes_labels_ = true;
    return index_of(labels_.lines[size_t(index)], {}, choices, "label", line);
  }

  const ChoiceTask& task_;
  LabelFile labels_;
  bool takes_labels_ = false;
};

// A file of requests: {"doc_id", "idx", "label", "request": {"context", "continuation"}}, one line
// a choice. Documents from this id on repeat the others without their question (for another
// metric).
constexpr int64_t unconditional_documents = 1'000'000;
const std::vector<std::string_view> request_fields{"doc_id", "idx", "label", "request"};

class RequestReader {
 public:
  RequestReader(int64_t limit, ChoiceItems& out) : limit_(limit), out_(out) {
    out_.form = "requests";
  }

  // False once `limit` items are whole.
  bool read(const json& line, const ItemSource& source) {
    const int64_t doc = integer(line, "doc_id", source), idx = integer(line, "idx", source);
    if (doc >= unconditional_documents) return true;
    if (out_.items.empty() || doc != doc_) {
      finish();
      if (limit_ > 0 && int64_t(out_.items.size()) == limit_) return false;
      out_.items.emplace_back();
      doc_ = doc;
      label_ = item_field(line, "label", source);
      first_ = source;
    }
    auto& requests = out_.items.back().requests;
    if (idx != int64_t(requests.size()))
      source.fail("idx", std::to_string(idx) + " where choice " + std::to_string(requests.size()) +
                             " of the document follows");
    if (item_field(line, "label", source) != label_)
      source.fail("label", "differs within a document");
    const std::string continuation = string(line, "request.continuation", source);
    if (!continuation.starts_with(' '))
      source.fail("request.continuation", "does not begin with a space");
    requests.push_back(make_request(string(line, "request.context", source), continuation.substr(1),
                                    "request.continuation", source));
    return true;
  }

  // The document read so far is whole.
  void finish() {
    if (out_.items.empty()) return;
    ChoiceItem& item = out_.items.back();
    const int64_t choices = int64_t(item.requests.size());
    if (choices < 2) first_.fail("idx", "a document of fewer than two choices");
    item.gold = index_of(label_, {}, choices, "label", first_);
  }

 private:
  static int64_t integer(const json& line, std::string_view field, const ItemSource& source) {
    const json& value = item_field(line, field, source);
    if (!value.is_number_integer() || value.get<int64_t>() < 0)
      source.fail(field, shown(value) + " is no index");
    return value.get<int64_t>();
  }
  static std::string string(const json& line, std::string_view field, const ItemSource& source) {
    return expand_template(placeholder(field), line, source)[0];
  }

  int64_t limit_;
  ChoiceItems& out_;
  int64_t doc_ = 0;
  json label_;
  ItemSource first_;
};

}  // namespace

ChoiceItems read_choice_items(const ChoiceTask& task, const std::string& file, int64_t limit) {
  ChoiceItems out;
  ItemReader items(task, file);
  std::optional<RequestReader> requests;
  bool whole = true;
  read_json_lines(file, [&](const json& line, int64_t number) {
    ItemSource source{file, number, describe(request_fields)};
    if (out.items.empty() && has_fields(line, request_fields)) requests.emplace(limit, out);
    if (requests) return requests->read(line, source);
    source.expected.clear();
    items.read(line, source, out);
    whole = limit == 0 || int64_t(out.items.size()) < limit;
    return whole;
  });
  if (requests) requests->finish();
  if (whole) items.finish(file, out.items.size());
  if (out.items.empty())
    throw InputError(file + ": no items of the task " + std::string(task.name));
  return out;
}

}  // namespace mxref
