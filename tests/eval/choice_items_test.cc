#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/files/atomic_file.h"
#include "eval/tasks/choice_tasks.h"
#include "eval/tasks/python_text.h"
#include "tests/deep_json.h"
#include "tests/eval/fakes.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(choice_items)

static ChoiceItems read(const char* task, const std::string& lines, int64_t limit = 0) {
  const TemporaryFile file("items.jsonl", lines);
  return read_choice_items(choice_task(task), file.path.string(), limit);
}

static void check_item(const ChoiceItem& item, std::vector<std::string> contexts,
                       std::vector<std::string> continuations, int64_t gold) {
  BOOST_REQUIRE(item.requests.size() == continuations.size());
  for (size_t i = 0; i < continuations.size(); ++i) {
    BOOST_TEST(item.requests[i].context == contexts[contexts.size() == 1 ? 0 : i]);
    BOOST_TEST(item.requests[i].continuation == continuations[i]);
    BOOST_TEST(item.requests[i].characters == python_length(continuations[i]) - 1);
  }
  BOOST_TEST(item.gold == gold);
}

BOOST_AUTO_TEST_CASE(piqa_asks_question_and_answer) {
  const auto r = read("piqa", R"({"goal":"open it","sol1":"pull","sol2":"push ","label":1})");
  BOOST_TEST(r.form == "hub");
  check_item(r.items.at(0), {"Question: open it\nAnswer:"}, {" pull", " push "}, 1);
}

BOOST_AUTO_TEST_CASE(piqa_takes_labels_from_the_file_beside) {
  const TemporaryFolder folder;
  folder.write("beside-labels.lst", "1\n0\n");
  const auto items = folder.write("beside.jsonl",
                                  "{\"goal\":\"a\",\"sol1\":\"b\",\"sol2\":\"c\"}\n"
                                  "{\"goal\":\"d\",\"sol1\":\"e\",\"sol2\":\"f\"}\n");
  const auto r = read_choice_items(choice_task("piqa"), items.string(), 0);
  BOOST_TEST(r.items.at(0).gold == 1);
  BOOST_TEST(r.items.at(1).gold == 0);
}

BOOST_AUTO_TEST_CASE(arc_takes_the_hub_form_and_the_plain_one) {
  const auto hub = read("arc_easy", R"({"question":"Which?","choices":{"text":["x","y","z"],)"
                                    R"("label":["1","2","3"]},"answerKey":"3"})");
  check_item(hub.items.at(0), {"Question: Which?\nAnswer:"}, {" x", " y", " z"}, 2);
  const auto plain =
      read("arc_challenge", R"({"query":"Question: Why?","choices":["a","b"],"gold":1})");
  BOOST_TEST(plain.form == "plain");
  check_item(plain.items.at(0), {"Question: Why?\nAnswer:"}, {" a", " b"}, 1);
}

BOOST_AUTO_TEST_CASE(winogrande_scores_what_follows_the_blank) {
  const auto r = read("winogrande", R"({"sentence":"Ann beat Bo as _ was fast.","option1":"Ann",)"
                                    R"("option2":"Bo","answer":"2"})");
  check_item(r.items.at(0), {"Ann beat Bo as Ann", "Ann beat Bo as Bo"},
             {" was fast.", " was fast."}, 1);
}

BOOST_AUTO_TEST_CASE(hellaswag_is_tidied_as_the_harness_does) {
  const auto r = read("hellaswag",
                      R"({"activity_label":"Baking","ctx_a":"[header] How to bake [title] Mix.",)"
                      R"("ctx_b":"the COOK","endings":[" stirs  it. [step] ","ÉTÉ"],"label":"0"})");
  check_item(r.items.at(0), {"Baking: How to bake. Mix. The cook"}, {" stirs it. ", " ÉTÉ"}, 0);
}

BOOST_AUTO_TEST_CASE(boolq_asks_passage_and_question) {
  const auto r = read("boolq", R"({"question":"is it so","answer":true,"passage":"It is."})");
  check_item(r.items.at(0), {"It is.\nQuestion: is it so?\nAnswer:"}, {" no", " yes"}, 1);
}

BOOST_AUTO_TEST_CASE(openbookqa_asks_the_stem_alone) {
  const auto r = read("openbookqa", R"({"question_stem":"The sun","choices":{"text":["is hot",)"
                                    R"("is cold"],"label":["A","B"]},"answerKey":" A"})");
  check_item(r.items.at(0), {"The sun"}, {" is hot", " is cold"}, 0);
}

BOOST_AUTO_TEST_CASE(every_task_takes_the_plain_form_and_files_of_requests) {
  for (const ChoiceTask& task : choice_tasks()) {
    const std::string name(task.name);
    const auto plain = read(name.c_str(), R"({"query":"Q:","choices":["a","b","c"],"gold":2})");
    BOOST_TEST(plain.items.at(0).gold == 2);
    BOOST_TEST(plain.items.at(0).requests.at(1).continuation == " b");
    const auto requests = read(name.c_str(),
                               "{\"doc_id\":0,\"idx\":0,\"label\":1,\"request\":{\"context\":"
                               "\"Goal: a\",\"continuation\":\" x\"}}\n"
                               "{\"doc_id\":0,\"idx\":1,\"label\":1,\"request\":{\"context\":"
                               "\"Goal: a\",\"continuation\":\" yé\"}}\n"
                               "{\"doc_id\":1000000,\"idx\":0,\"label\":1,\"request\":{\"context\":"
                               "\"Answer:\",\"continuation\":\" x\"}}\n");
    BOOST_TEST(requests.form == "requests");
    BOOST_REQUIRE(requests.items.size() == 1u);
    check_item(requests.items[0], {"Goal: a"}, {" x", " yé"}, 1);
  }
}

static std::string gzip(const std::string& text) {
  const TemporaryFolder folder;
  gzFile out = gzopen((folder / "f").c_str(), "wb1");
  gzwrite(out, text.data(), unsigned(text.size()));
  gzclose(out);
  return read_file(folder / "f");
}

BOOST_AUTO_TEST_CASE(gzip_is_read_and_damaged_gzip_is_an_error) {
  const std::string line = R"({"query":"Q:","choices":["a","b"],"gold":0})";
  const TemporaryFolder folder;
  folder.write("whole.jsonl.gz", gzip(line));
  const auto items = [&](const std::string& name) {
    return read_choice_items(choice_task("piqa"), folder / name, 0).items.size();
  };
  BOOST_TEST(items("whole.jsonl.gz") == 1u);
  const std::string packed = read_file(folder / "whole.jsonl.gz");
  for (size_t cut = 2; cut < packed.size(); ++cut) {
    folder.write("cut.jsonl.gz", packed.substr(0, cut));
    BOOST_CHECK_THROW(items("cut.jsonl.gz"), InputError);
  }
}

BOOST_AUTO_TEST_CASE(every_member_of_a_gzip_file_is_read_and_nothing_else_may_follow) {
  const std::string item = R"({"query":"Q:","choices":["a","b"],"gold":0})";
  std::string noise;  // one that is longer than what is unpacked at once, packed and unpacked
  for (uint32_t i = 0; i < 200'000; ++i) noise += char('a' + (i * 2654435761u >> 13) % 26);
  const std::string large = R"({"query":")" + noise + R"(","choices":["a","b"],"gold":0})";
  const auto items = [](const std::string& packed) {
    const TemporaryFile file("f.jsonl.gz", packed);
    return read_choice_items(choice_task("piqa"), file.path.string(), 0).items.size();
  };
  BOOST_TEST(items(gzip(item + "\n") + gzip(large + "\n") + gzip(item)) == 3u);
  BOOST_CHECK_THROW(items(gzip(item) + "x"), InputError);
  BOOST_CHECK_THROW(items(gzip(item) + gzip(item).substr(0, 20)), InputError);
}

BOOST_AUTO_TEST_CASE(numbers_and_booleans_are_labels_where_there_are_labels) {
  const auto gold = [](const char* task, const std::string& line) {
    return read(task, line).items.at(0).gold;
  };
  const auto winogrande = [&](const std::string& answer) {
    return gold("winogrande",
                R"({"sentence":"a _ b","option1":"x","option2":"y","answer":)" + answer + "}");
  };
  BOOST_TEST(winogrande("1") == 0);
  BOOST_TEST(winogrande("2") == 1);
  const auto arc = [&](const std::string& labels, const std::string& key) {
    return gold("arc_easy", R"({"question":"q","choices":{"text":["x","y"],"label":)" + labels +
                                R"(},"answerKey":)" + key + "}");
  };
  BOOST_TEST(arc(R"(["1","2"])", "1") == 0);
  BOOST_TEST(arc(R"(["3","0"])", "0") == 1);
  const std::string boolq = R"({"passage":"p","question":"q","answer":)";
  BOOST_TEST(gold("boolq", boolq + "false}") == 0);
  for (const auto& wrong : std::initializer_list<std::function<int64_t()>>{
           [&] { return winogrande("0"); }, [&] { return winogrande("true"); },
           [&] { return arc(R"(["A","B"])", "1"); }, [&] { return arc(R"(["A","null"])", "null"); },
           [&] { return gold("boolq", boolq + "1}"); },
           [&] { return gold("piqa", R"({"query":"q","choices":["x","y"],"gold":true})"); }})
    BOOST_CHECK_THROW(wrong(), InputError);
}

BOOST_AUTO_TEST_CASE(labels_beside_a_file_are_as_many_as_its_items) {
  const std::string item = R"({"goal":"a","sol1":"b","sol2":"c")";
  const auto read_with = [&](const std::string& items, const std::string& labels, int64_t limit) {
    const TemporaryFolder folder;
    folder.write("f-labels.lst", labels);
    return read_choice_items(choice_task("piqa"), folder.write("f.jsonl", items).string(), limit)
        .items.size();
  };
  const std::string two = item + "}\n" + item + "}\n";
  BOOST_TEST(read_with(two, "1\n0\n", 0) == 2u);
  for (const char* labels : {"1\n0\n1\n", "1\n", "1\n\xFF\n", "\xE2\x80\n0\n"})
    BOOST_CHECK_THROW(read_with(two, labels, 0), InputError);
  BOOST_TEST(read_with(two, "1\n0\n1\n", 1) == 1u);  // the file is not read to its end
  BOOST_CHECK_THROW(read_with(two, "1\n0\n1\n", 5), InputError);
  BOOST_TEST(read_with(item + R"(,"label":1})", "1\n0\n", 0) == 1u);  // its own label is taken
}

BOOST_AUTO_TEST_CASE(a_damaged_item_is_an_error_with_file_line_field_and_form) {
  const std::string good = R"({"goal":"a","sol1":"b","sol2":"c","label":0})";
  struct Case {
    std::string line;
    const char* field;
  };
  for (const auto& [line, field] : {
           Case{R"({"goal":"a","sol1":"b","label":0})", "\"sol2\""},
           Case{R"({"goal":"a","sol1":"b","sol2":5,"label":0})", "\"sol2\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"","label":0})", "\"{sol1}\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"c","label":2})", "\"label\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"c","label":-1})", "\"label\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"c","label":0.5})", "\"label\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"c","label":null})", "\"label\""},
           Case{R"({"goal":"a","sol1":"b","sol2":"c"})", "\"label\""},
           Case{R"({"query":"a","choices":["b","c"],"gold":0})", "plain"},
           Case{R"({"goal":"a")", "JSON"},
           Case{"{\"goal\":\"\xFF\"}", "UTF-8"},
           Case{"[1]", "JSON"},
           Case{deep_json("label"), "nests deeper"},
           Case{R"({"goal":"a","sol1":"b","sol2":"c","label":")" + std::string(100000, 'x') + "\"}",
                "\"label\": \"xxx"},
       }) {
    BOOST_CHECK_EXCEPTION(read("piqa", good + "\n" + line), InputError,
                          ([&, &line = line, &field = field](const InputError& e) {
                            const std::string what = e.what();
                            const bool right = what.find("items.jsonl:2: ") != std::string::npos &&
                                               what.find(field) != std::string::npos &&
                                               (what.find("expected") != std::string::npos ||
                                                what.find("deeper than") != std::string::npos) &&
                                               what.size() < 1000;
                            if (!right) BOOST_TEST_MESSAGE("line " << line << "\n got " << what);
                            return right;
                          }));
  }
}

BOOST_AUTO_TEST_CASE(every_field_of_every_form_is_needed) {
  const json items[] = {
      json::parse(R"({"goal":"a","sol1":"b","sol2":"c","label":0})"),
      json::parse(
          R"({"question":"q","choices":{"text":["x","y"],"label":["A","B"]},"answerKey":"A"})"),
      json::parse(R"({"sentence":"a _ b","option1":"x","option2":"y","answer":"1"})"),
      json::parse(
          R"({"activity_label":"a","ctx_a":"b","ctx_b":"c","endings":["d","e"],"label":1})"),
      json::parse(R"({"passage":"p","question":"q","answer":false})"),
      json::parse(
          R"({"question_stem":"q","choices":{"text":["x","y"],"label":["A","B"]},"answerKey":"B"})"),
      json::parse(R"({"query":"q","choices":["x","y"],"gold":1})")};
  for (const ChoiceTask& task : choice_tasks()) {
    int taken = 0;
    for (const json& item : items) {
      const TemporaryFile whole("whole.jsonl", item.dump());
      try {
        read_choice_items(task, whole.path.string(), 0);
      } catch (const InputError&) {
        continue;  // an item of another task
      }
      ++taken;
      for (const auto& [field, value] : item.items()) {
        json cut = item;
        cut.erase(field);
        const TemporaryFile file("cut.jsonl", cut.dump());
        BOOST_CHECK_THROW(read_choice_items(task, file.path.string(), 0), InputError);
        json wrong = item;
        wrong[field] = json::object();
        const TemporaryFile other("wrong.jsonl", wrong.dump());
        BOOST_CHECK_THROW(read_choice_items(task, other.path.string(), 0), InputError);
      }
    }
    BOOST_TEST(taken == 2, task.name << " takes " << taken << " of the forms");
  }
}

BOOST_AUTO_TEST_CASE(an_empty_file_and_a_missing_one_are_errors) {
  BOOST_CHECK_THROW(read("piqa", "\n\n"), InputError);
  BOOST_CHECK_THROW(read_choice_items(choice_task("piqa"), "/nowhere/items.jsonl", 0), InputError);
}

BOOST_AUTO_TEST_CASE(an_unknown_task_is_wrong_use_with_a_suggestion) {
  BOOST_CHECK_EXCEPTION(choice_task("piqua"), UsageError, [](const UsageError& e) {
    return std::string(e.what()).find("did you mean 'piqa'") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(capitalize_and_length_are_those_of_python) {
  BOOST_TEST(python_capitalize("hELLO Wörld É") == "Hello wörld é");
  BOOST_TEST(python_capitalize("élan ЖЖ") == "Élan жж");
  BOOST_TEST(python_capitalize("") == "");
  BOOST_TEST(python_length("aé→𝄞") == 4);
  BOOST_TEST(python_strip("\u00a0 a b\u3000\n") == "a b");
}

BOOST_AUTO_TEST_CASE(the_published_files_are_read_whole) {
  struct Case {
    const char *task, *file, *form;
    size_t items;
  };
  for (auto [task, file, form, count] :
       {Case{"piqa", "piqa/valid.jsonl", "hub", 1838},
        Case{"arc_easy", "arc/arc_easy_test.jsonl", "plain", 2376},
        Case{"arc_easy", "arc/arc_easy_validation.jsonl", "hub", 570},
        Case{"arc_challenge", "arc/arc_challenge_test.jsonl", "plain", 1172},
        Case{"arc_challenge", "arc/arc_challenge_validation.jsonl", "hub", 299},
        Case{"winogrande", "winogrande/validation.jsonl", "hub", 1267},
        Case{"hellaswag", "hellaswag/validation.jsonl.gz", "plain", 10042},
        Case{"hellaswag", "hellaswag/olmes_1000_exact.jsonl", "plain", 1000},
        Case{"boolq", "boolq/validation.jsonl", "hub", 3270}}) {
    const auto path = shared_data(file);
    if (!path) continue;
    const auto r = read_choice_items(choice_task(task), path->string(), 0);
    BOOST_TEST(r.items.size() == count, file);
    BOOST_TEST(r.form == form, file);
  }
}

BOOST_AUTO_TEST_SUITE_END()
