#include "m365/incoming/marking.h"

#include <algorithm>
#include <map>
#include <utility>

#include "m365/incoming/folder_finder.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;

// The words of Receipt::pending_mark and Mark::what.
constexpr std::string_view read_word = "read", read_quietly_word = "read,no-receipt", erase_word = "delete",
                           move_word = "move:", reject_word = "reject:";

bool is_reject(const store::Mark& mark) {
  return mark.what.starts_with(reject_word);
}

// The folder a mark moves to; empty when it moves nothing.
std::string target_of(const std::string& mark) {
  if (mark == erase_word) return "deleteditems";
  for (const std::string_view word : {move_word, reject_word}) {
    if (mark.starts_with(word)) return mark.substr(word.size());
  }
  return {};
}

std::string find_target(Stream& stream, const std::string& mark) {
  const std::string setting = target_of(mark);
  if (FolderFinder::well_known(setting)) return lower(setting);  // Graph takes the name in place of an id
  const FolderFinder folders(stream.graph(), stream.settings.user, stream.address(), stream.token());
  const auto parts = folder_path(setting);
  // "Rejected" stands beside the folder that is fetched (contract.md, section 3); a path begins at the top.
  if (mark.starts_with(reject_word) && parts && parts->size() == 1) {
    const std::string& parent = stream.identity()->parent_id;
    return folders.child_or_make(parent.empty() ? "msgfolderroot" : parent, parts->front()).id;
  }
  return folders.find_or_make(setting).id;
}

// Marking a mail as read sends the read receipt that its sender asked for; whether the same PATCH can take the request
// back is not documented (graph-mail.md, section 12). One that goes before can, either way.
bool needs_quiet(const Stream& stream, const store::Mark& mark) {
  return mark.what == read_quietly_word && !stream.quieted.contains(mark.message_id);
}

GraphRequest request_for(Stream& stream, const store::Mark& mark) {
  GraphRequest request;
  request.mailbox = stream.settings.user;
  request.path = user_path(stream.settings.user) + "/messages/" + http::percent_encode(mark.message_id);
  const auto target = stream.targets.find(mark.what);
  if (target != stream.targets.end()) {
    request.method = "POST";
    request.path += "/move";
    request.operation = "move a mail";
    request.body = "{\"destinationId\":" + json_text(target->second) + "}";
  } else {
    request.method = "PATCH";
    request.operation = "mark a mail as read";
    request.body = R"({"isRead":true})";
    if (needs_quiet(stream, mark)) {
      request.body = R"({"isReadReceiptRequested":false})";
      request.operation = "take back the request for a read receipt";
    }
    request.prefer.push_back("return=minimal");
  }
  return request;
}

// The marks that wait for nothing: not those of an incident, nor those that failed a moment ago.
std::vector<store::Mark> due_marks(Stream& stream, std::size_t most) {
  const std::shared_ptr<store::Store> store = stream.core.store();
  bool incident = false;
  {
    const std::lock_guard lock(stream.mutex);
    incident = stream.guard.tripped();
  }
  const store::StreamId id = stream.identity()->stream;
  const auto waits = [&](const store::Mark& mark) {
    if (is_reject(mark)) {
      if (incident) return true;
      const auto aside = store->aside(id, mark.message_id);
      if (aside && from_reason(aside->reason).kind != AsideKind::watch) return true;  // it gets another try
    }
    const auto trouble = stream.mark_later.find(mark.message_id);
    return trouble != stream.mark_later.end() && trouble->second.due > stream.core.now();
  };
  constexpr std::size_t held = 64;  // more than one incident keeps back
  std::vector<store::Mark> due;
  // Mostly none waits, and reading more than are wanted costs more than the marks do.
  for (const std::size_t more : {std::size_t{0}, stream.mark_later.size() + held}) {
    std::vector<store::Mark> oldest = store->to_mark(id, most + more);
    const bool all = oldest.size() < most + more;
    due.clear();
    for (store::Mark& mark : oldest) {
      if (due.size() == most) break;
      if (!waits(mark)) due.push_back(std::move(mark));
    }
    if (all || due.size() == most) break;
  }
  return due;
}

void failed_mark(const MarkJob& job, const GraphError& error) {
  Stream& stream = *job.stream;
  if (error.fault().cause == mail::Cause::folder_missing) stream.targets.erase(job.mark.what);
  Stream::MarkTrouble& trouble = stream.mark_later[job.mark.message_id];
  std::chrono::milliseconds wait = 2s;
  for (unsigned i = 0; i < trouble.tries && wait < 5min; ++i) wait *= 2;
  ++trouble.tries;
  wait = std::max(stream.core.jittered(std::min<std::chrono::milliseconds>(wait, 5min)), error.fault().retry_after);
  trouble.due = stream.core.now() + wait;
  stream.health.degraded(Aspect::marking, error.fault(), wait, stream.core.wall());
}

// A gateway's page with status 200 is no answer of Graph's: that is JSON, or nothing.
bool is_answer(std::string_view body) {
  const std::string_view text = trimmed(body);
  return text.empty() || (text.front() == '{' && text.back() == '}');
}

GraphError no_answer(const Stream& stream) {
  mail::Fault fault;
  fault.cause = mail::Cause::service_fault;
  fault.text = stream.address() +
               ": marking a mail was answered by something that is not Microsoft Graph's answer. It "
               "is tried again by itself.";
  fault.maybe_done = true;
  return GraphError(std::move(fault), 502, Action::repeat);
}

bool gone(const MarkJob& job, GraphClient& graph, std::stop_token stop) {
  GraphRequest look;
  look.path =
      user_path(job.stream->settings.user) + "/messages/" + http::percent_encode(job.mark.message_id) + "?$select=id";
  look.operation = "look for a mail";
  look.mailbox = job.stream->settings.user;
  try {
    graph.send(look, stop);
    return false;
  } catch (const GraphError& error) {
    if (tells_folder_missing(error)) return true;
    throw;
  }
}

// 404: somebody moved or deleted it, or an earlier try was carried out all the same (graph-mail.md, section 15). 403
// ErrorCannotDeleteObject says the same of immutable ids, but only a GET proves it (section 7).
bool counts_as_done(const MarkJob& job, const GraphError& error, GraphClient& graph, std::stop_token stop) {
  if (tells_folder_missing(error)) {
    const bool target = error.fault().cause == mail::Cause::folder_missing;
    return !target || gone(job, graph, stop);
  }
  return same_text(error.fault().code, "ErrorCannotDeleteObject") && gone(job, graph, stop);
}

}  // namespace

std::string accepted_mark(const MailboxSettings& settings, bool receipt_requested) {
  switch (settings.after_fetch.kind) {
    case AfterFetch::Kind::mark_read:
      return std::string(receipt_requested && settings.suppress_read_receipts ? read_quietly_word : read_word);
    case AfterFetch::Kind::move:
      return std::string(move_word) + settings.after_fetch.folder;
    case AfterFetch::Kind::erase:
      return std::string(erase_word);
    case AfterFetch::Kind::leave:
      break;
  }
  return {};
}

std::string rejected_mark(const MailboxSettings& settings) {
  if (settings.rejected.kind != AfterFetch::Kind::move) return {};
  return std::string(reject_word) + settings.rejected.folder;
}

std::string rejected_folder(Stream& stream) {
  return find_target(stream, rejected_mark(stream.settings));
}

bool marks_ready(Stream& stream) {
  for (const store::Mark& mark : due_marks(stream, 20)) {
    if (!target_of(mark.what).empty() && !stream.targets.contains(mark.what)) return false;
  }
  return true;
}

std::vector<MarkJob> collect_marks(const StreamPtr& stream, std::size_t most) {
  std::vector<MarkJob> jobs;
  for (store::Mark& mark : due_marks(*stream, most)) {
    if (!target_of(mark.what).empty() && !stream->targets.contains(mark.what))
      stream->targets[mark.what] = find_target(*stream, mark.what);
    GraphRequest request = request_for(*stream, mark);
    jobs.push_back({stream, std::move(mark), std::move(request)});
  }
  return jobs;
}

bool send_marks(IncomingCore& core, GraphClient& graph, std::vector<MarkJob> jobs, std::stop_token stop) {
  if (jobs.empty()) return true;
  std::vector<GraphRequest> requests;
  requests.reserve(jobs.size());
  for (MarkJob& job : jobs) requests.push_back(std::move(job.request));
  std::vector<BatchAnswer> answers;
  std::vector<std::optional<GraphError>> errors(jobs.size());
  if (jobs.size() == 1) {
    try {
      if (!is_answer(graph.send(requests.front(), stop).body)) errors.front() = no_answer(*jobs.front().stream);
    } catch (const GraphError& error) {
      errors.front() = error;
    }
  } else {
    answers = graph.batch(requests, stop);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (answers[i].status < 200 || answers[i].status > 299) {
        errors[i] = graph.error_of(answers[i], requests[i]);
      } else if (!is_answer(answers[i].body)) {
        errors[i] = no_answer(*jobs[i].stream);
      }
    }
  }
  bool all = true;
  std::map<Stream*, std::vector<store::Mark>> done;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    MarkJob& job = jobs[i];
    if (errors[i] && !counts_as_done(job, *errors[i], graph, stop)) {
      failed_mark(job, *errors[i]);
      all = false;
      continue;
    }
    job.stream->mark_later.erase(job.mark.message_id);
    if (!errors[i] && needs_quiet(*job.stream, job.mark)) {
      job.stream->quieted.insert(job.mark.message_id);  // the mark itself comes with the next turn
      continue;
    }
    job.stream->quieted.erase(job.mark.message_id);
    done[job.stream.get()].push_back(std::move(job.mark));
  }
  const std::shared_ptr<store::Store> store = core.store();
  for (const auto& entry : done) {
    Stream& stream = *entry.first;
    const store::StreamId id = stream.identity()->stream;
    store->marked(id, entry.second);
    for (const store::Mark& mark : entry.second) {
      if (is_reject(mark)) store->set_gone(id, mark.message_id, true);  // coming back from there, it gets one new try
    }
    if (stream.mark_later.empty()) stream.health.clear(Aspect::marking, core.wall());
  }
  return all;
}

}  // namespace m365
