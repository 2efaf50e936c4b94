// The ids of a folder's mails differ in their ends only. What is alike stands once, with the stream.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/reader.h"
#include "store/store.h"
#include "store/writer.h"

namespace store {

/// Graph's ids have 150 characters. They are Exchange's ids in base64, which end in a counter of the mailbox
/// ([MS-OXCDATA], section 2.2.4.2): short, they make rows of half the size, and those of mails that came together stand
/// together. Nothing depends on it: an id that begins otherwise is stored as it is. Any thread. Throws
/// mail::FaultError, or DamagedError.
class ShortIds {
 public:
  /// Both outlive it.
  ShortIds(Writer& writer, Reader& reader)
      : writer_(writer), query_(reader, "select id_beginning from stream where id = ?") {}

  /// To be called before an id is written, outside of a transaction: the first id of a stream says how all begin.
  void prepare(StreamId stream, std::string_view id);
  std::string shortened(StreamId stream, std::string_view id);
  std::vector<std::string> shortened(StreamId stream, const std::vector<std::string>& ids);
  std::string whole(StreamId stream, std::string_view shortened);

 private:
  /// Empty: not known yet.
  std::string_view beginning(StreamId stream);

  Writer& writer_;
  Query query_;
  std::mutex mutex_;
  std::unordered_map<StreamId, const std::string> beginnings_;  // guarded by mutex_; none is changed or taken out
};

}  // namespace store
