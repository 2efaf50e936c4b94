#include "store/short_ids.h"

namespace store {
namespace {

constexpr std::size_t end_size = 24;  // the counter and what follows it, with room for ids of another making
// The first character of what is stored. An id has one form for ever: shorter ones are stored whole whatever is known,
// and of the longer ones none is written before it is known how they begin.
constexpr char only_end = '+', all_of_it = '=';

std::string without(std::string_view beginning, std::string_view id) {
  if (id.size() <= end_size || beginning.empty() || !id.starts_with(beginning)) return all_of_it + std::string(id);
  return only_end + std::string(id.substr(beginning.size()));
}

}  // namespace

void ShortIds::prepare(StreamId stream, std::string_view id) {
  if (id.size() <= end_size || !beginning(stream).empty()) return;
  // On disk no later than the ids that are written next.
  Writer::Transaction transaction(writer_, Writer::Durable::with_next);
  transaction.run("update stream set id_beginning = ? where id = ? and id_beginning = ''",
                  {id.substr(0, id.size() - end_size), stream});
  transaction.commit();
}

std::string ShortIds::shortened(StreamId stream, std::string_view id) {
  return without(beginning(stream), id);
}

std::vector<std::string> ShortIds::shortened(StreamId stream, const std::vector<std::string>& ids) {
  const std::string_view start = beginning(stream);
  std::vector<std::string> all;
  all.reserve(ids.size());
  for (const std::string& id : ids) all.push_back(without(start, id));
  return all;
}

std::string ShortIds::whole(StreamId stream, std::string_view shortened) {
  const bool end = shortened.starts_with(only_end);
  std::string id(end ? beginning(stream) : std::string_view());
  return id.append(shortened.substr(shortened.empty() ? 0 : 1));
}

std::string_view ShortIds::beginning(StreamId stream) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = beginnings_.find(stream); known != beginnings_.end()) return known->second;
  }
  std::string found;
  query_.one({stream}, [&](const Row& row) { found = row.text(0); });
  if (found.empty()) return {};
  const std::lock_guard lock(mutex_);
  return beginnings_.try_emplace(stream, std::move(found)).first->second;
}

}  // namespace store
