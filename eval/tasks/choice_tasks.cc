#include "eval/tasks/choice_tasks.h"

#include "emu/error.h"
#include "eval/tasks/python_text.h"

namespace mxref {
namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t i = 0; (i = text.find(from, i)) != std::string::npos; i += to.size())
    text.replace(i, from.size(), to);
  return text;
}

// "[title]", "[step]", …: marks of the WikiHow part of HellaSwag.
std::string without_brackets(const std::string& text) {
  std::string kept;
  for (size_t i = 0; i < text.size();) {
    const size_t close = text[i] == '[' ? text.find(']', i) : std::string::npos;
    if (close != std::string::npos && text.find('\n', i) > close) {
      i = close + 1;
    } else {
      kept += text[i++];
    }
  }
  return kept;
}

std::string tidy_hellaswag(const std::string& text) {
  return replace_all(without_brackets(replace_all(python_strip(text), " [title]", ". ")), "  ",
                     " ");
}

// {"query", "choices", "gold"}: the context is the query and what the task puts after it.
ItemForm plain(std::string_view context) {
  return {"plain", {"query", "choices", "gold"}, {context}, {"{choices[]}"}, "gold", {}};
}

std::vector<ItemForm> arc_forms() {
  return {{"hub",
           {"question", "choices", "answerKey"},
           {"Question: {question}\nAnswer:"},
           {"{choices.text[]}"},
           "answerKey",
           {"choices.label[]"}},
          plain("{query}\nAnswer:")};
}

std::vector<ChoiceTask> make_tasks() {
  return {
      {"piqa",
       "1.0",
       {{"hub",
         {"goal", "sol1", "sol2"},
         {"Question: {goal}\nAnswer:"},
         {"{sol1}", "{sol2}"},
         "label",
         {}},
        plain("{query}")}},
      {"arc_easy", "1.0", arc_forms()},
      {"arc_challenge", "1.0", arc_forms()},
      {"winogrande",
       "1.0",
       {{"hub",
         {"sentence", "option1", "option2", "answer"},
         {"{sentence|before_blank}{option1}", "{sentence|before_blank}{option2}"},
         {"{sentence|after_blank}"},
         "answer",
         {"1", "2"}},
        plain("{query}")}},
      {"hellaswag",
       "1.0",
       {{"hub",
         {"activity_label", "ctx_a", "ctx_b", "endings", "label"},
         {"{activity_label}: {ctx_a} {ctx_b|capitalize}"},
         {"{endings[]}"},
         "label",
         {},
         tidy_hellaswag},
        plain("{query}")}},
      {"boolq",
       "2.0",
       {{"hub",
         {"passage", "question", "answer"},
         {"{passage}\nQuestion: {question}?\nAnswer:"},
         {"no", "yes"},
         "answer",
         {"false", "true"}},
        {"super_glue",
         {"passage", "question", "label"},
         {"{passage}\nQuestion: {question}?\nAnswer:"},
         {"no", "yes"},
         "label",
         {}},
        plain("{query}")}},
      {"openbookqa",
       "1.0",
       {{"hub",
         {"question_stem", "choices", "answerKey"},
         {"{question_stem}"},
         {"{choices.text[]}"},
         "answerKey",
         {"choices.label[]"}},
        plain("{query}")}},
  };
}

}  // namespace

std::span<const ChoiceTask> choice_tasks() {
  static const std::vector<ChoiceTask> tasks = make_tasks();
  return tasks;
}

const ChoiceTask& choice_task(std::string_view name) {
  return find_by_name(choice_tasks(), "task", name);
}

}  // namespace mxref
