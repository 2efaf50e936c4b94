#include "commands/batch_feed.h"

#include <fstream>

#include "base/json.h"
#include "commands/compose.h"

namespace commands {

void BatchFeed::take(const std::string& line, runtime::ContactCenter& center) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  const Draft draft = draft_of(base::Json::parse(line));
  // The file is read from its beginning at every start; the key is what keeps its lines from leaving again.
  if (!draft.key) throw runtime::MessageError("key: is missing; a line of a batch that is followed needs one");
  Composed message = compose(draft, configuration_, store_);
  center.send_now(message.key, std::move(message.mail));
}

void BatchFeed::read(runtime::ContactCenter& center) {
  std::ifstream in(file_, std::ios::binary);
  if (!in.seekg(static_cast<std::streamoff>(offset_))) return;
  std::string line;
  // What has no line end yet is still being written.
  while (std::getline(in, line) && !in.eof()) {
    std::string problem;
    try {
      take(line, center);
    } catch (const base::JsonError& error) {
      problem = "column " + std::to_string(error.column()) + ": not JSON: " + error.what();
    } catch (const runtime::MessageError& error) {
      problem = error.what();
    } catch (const std::exception& error) {
      log_.error(file_.string() + ":" + std::to_string(lines_ + 1) + ": is tried again: " + error.what());
      return;
    }
    offset_ += line.size() + 1;
    ++lines_;
    if (problem.empty()) continue;
    failures_.push_back(file_.string() + ":" + std::to_string(lines_) + ": " + problem);
    log_.error(failures_.back());
  }
}

}  // namespace commands
