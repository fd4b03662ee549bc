#include "wal/log_survey.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "wal/segment_reader.h"
#include "wal/unit_assembler.h"

namespace cairn {
namespace {

constexpr size_t kSampleBytes = 64 * 1024;
constexpr int kLiveTries = 5;  // looks at an end that does not move
constexpr auto kLivePause = std::chrono::milliseconds(20);
// A rotated segment ends with this frame.
constexpr uint64_t kSuccessorFrameBytes = kFrameHeaderBytes + kSuccessorPayloadBytes;

// The segments to be read, oldest first.
struct Link {
  SegmentInfo info;
  bool header_damaged = false;
  std::string missing_before;  // the file that should stand before it
};

// Finds the segments and puts them in order, whatever their headers have suffered.
class ChainFinder {
 public:
  ChainFinder(const LogOptions& options, const SurveyRequest& request, LogSurvey* survey)
      : options_(options), request_(request), survey_(*survey) {}
  Result<std::vector<Link>> Find();

 private:
  Status Examine(const std::string& path, uint64_t file_id);
  Status ReadByItsFrames(SegmentInfo info, const Status& problem);
  void Fault(const std::string& path, uint64_t bytes, const Status& problem, Lsn until = 0) {
    survey_.faults.push_back({.file = path, .bytes = bytes, .until_lsn = until, .what = std::string(problem.message())});
  }

  const LogOptions& options_;
  const SurveyRequest& request_;
  LogSurvey& survey_;
  std::map<uint64_t, Link> found_;
};

Result<std::vector<Link>> ChainFinder::Find() {
  Result<std::vector<std::string>> names = options_.fs->ListDirectory(options_.directory);
  if (!names.ok()) {
    if (names.status().code() == StatusCode::kNotFound) return std::vector<Link>();
    return names.status();
  }
  for (const std::string& name : *names) {
    const std::string path = JoinPath(options_.directory, name);
    const std::optional<uint64_t> file_id = ParseSegmentFileName(name);
    if (file_id) {
      CAIRN_RETURN_IF_ERROR(Examine(path, *file_id));
    } else if (name.ends_with(kReplacementSuffix)) {
      survey_.stale.push_back(path);
    }
  }
  std::vector<Link> chain;
  auto at = found_.rbegin();
  while (at != found_.rend()) {
    chain.push_back(std::move(at->second));
    Link& link = chain.back();
    const auto lower = std::next(at);
    const uint64_t wanted = link.header_damaged ? (lower == found_.rend() ? 0 : lower->first) : link.info.header.predecessor;
    if (wanted == 0) break;
    auto before = lower;
    for (; before != found_.rend() && before->first > wanted; ++before) survey_.stale.push_back(before->second.info.path);
    if (before == found_.rend() || before->first != wanted) {
      // Dropped, where a snapshot covers it; then what lies lower is left over from the drop.
      if (link.info.header.continues_from <= request_.from) break;
      link.missing_before = JoinPath(options_.directory, SegmentFileName(wanted));
    }
    at = before;
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

Status ChainFinder::Examine(const std::string& path, uint64_t file_id) {
  Result<std::optional<SegmentInfo>> read = ReadSegmentInfo(*options_.fs, path, file_id);
  if (read.ok() && !*read) {
    survey_.stale.push_back(path);
    return Status::Ok();
  }
  if (read.ok()) {
    const uint32_t owner = (*read)->header.directory_id;
    if (owner == 0 || options_.directory_id == 0 || owner == options_.directory_id) {
      found_[file_id] = {std::move(**read), false, {}};
    } else {
      Fault(path, (*read)->file_bytes, Status::Damaged("it was made in another data directory; nothing of it is used"));
      survey_.faults.back().kind = LogFault::Kind::kForeign;
    }
    return Status::Ok();
  }
  if (read.status().code() == StatusCode::kNotFound && request_.live) return Status::Ok();
  if (read.status().code() != StatusCode::kDamaged) return read.status();
  SegmentInfo info;
  info.path = path;
  CAIRN_ASSIGN_OR_RETURN(info.file_bytes, options_.fs->FileSize(path));
  info.header.file_id = file_id;
  return ReadByItsFrames(std::move(info), read.status());
}

// Salts that differ from `salt` in one byte at most.
std::vector<uint32_t> SaltsNear(uint32_t salt) {
  std::vector<uint32_t> salts{salt};
  for (int shift = 0; shift < 32; shift += 8) {
    for (uint32_t change = 1; change < 256; change++) salts.push_back(salt ^ (change << shift));
  }
  return salts;
}

Status ChainFinder::ReadByItsFrames(SegmentInfo info, const Status& problem) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, options_.fs->OpenForReading(info.path));
  char head[kSegmentHeaderBytes] = {};
  CAIRN_RETURN_IF_ERROR(file->Read(0, sizeof(head), head).status());
  std::string first(std::min<uint64_t>(info.file_bytes - std::min<uint64_t>(info.file_bytes, kSegmentHeaderBytes),
                                       kFrameHeaderBytes + kMaxPayloadBytes),
                    '\0');
  CAIRN_ASSIGN_OR_RETURN(const size_t got, file->Read(kSegmentHeaderBytes, first.size(), first.data()));
  first.resize(got);
  const uint32_t written_salt = LoadLittleEndian<uint32_t>(head + kSegmentSaltAt);
  info.header.salt = written_salt;
  FrameHeader frame;
  for (const uint32_t salt : SaltsNear(written_salt)) {
    if (CheckFrame(first, info.header.file_id, salt, &frame) != FrameCheck::kGood) continue;
    info.header.salt = salt;
    break;
  }
  CAIRN_ASSIGN_OR_RETURN(const std::unique_ptr<SegmentReader> reader, SegmentReader::Open(*options_.fs, info));
  CAIRN_ASSIGN_OR_RETURN(const std::optional<uint64_t> at, reader->FindFrame(kSegmentHeaderBytes, 0));
  if (!at) {
    // Without a frame nothing says that the file ever held more than its header.
    const bool held_more = info.file_bytes > kSegmentHeaderBytes && first.find_first_not_of('\0') != std::string::npos;
    Fault(info.path, info.file_bytes, problem, held_more ? UINT64_MAX : 0);
    return Status::Ok();
  }
  Fault(info.path, kSegmentHeaderBytes, Status::Damaged(std::string(problem.message()) + "; it is read by its frames"));
  CAIRN_ASSIGN_OR_RETURN(const std::unique_ptr<SegmentReader> frames, SegmentReader::Open(*options_.fs, info, *at));
  std::string_view payload;
  if (frames->Next(&frame, &payload) == SegmentReader::Outcome::kReadError) return frames->status();
  info.header.continues_from = info.header.first_lsn = frame.first_lsn;
  info.header.durable_lsn = frame.durable_lsn;
  info.header.wall_us = frame.wall_us;
  found_[info.header.file_id] = {info, true, {}};
  return Status::Ok();
}

class LogSurveyor {
 public:
  LogSurveyor(const LogOptions& options, const SurveyRequest& request, const SurveyCallback& callback, LogSurvey* survey)
      : options_(options), request_(request), callback_(callback), survey_(*survey) {}
  Status Run();

 private:
  Status SurveySegment(size_t index);
  Status EnterSegment(size_t index);
  // What stands at the reader's place is no frame: finds the next one, or that there is none.
  Status PassOver(bool* more);
  // The same where the stream goes on in the next segment: only frames that say how this one ended count.
  Status PassToControlFrame(bool* more);
  Status TakeFrame(const FrameHeader& frame, std::string_view payload);
  Status DeliverUnits(const LogFrame& frame);
  Status EndSegment();
  Status EndLog();
  bool last() const { return index_ + 1 == chain_.size(); }
  Lsn limit() const { return last() ? UINT64_MAX : chain_[index_ + 1].info.header.continues_from; }
  SegmentSurvey& segment() { return survey_.segments.back(); }
  void BeginFault(uint64_t offset, std::string what);
  void EndFault(uint64_t end_offset, Lsn until);
  void NoteMark(Lsn durable) { survey_.durable_mark = std::max(survey_.durable_mark, durable); }

  const LogOptions& options_;
  const SurveyRequest& request_;
  const SurveyCallback& callback_;
  LogSurvey& survey_;
  std::vector<Link> chain_;
  size_t index_ = 0;
  std::unique_ptr<SegmentReader> reader_;
  UnitAssembler unit_;
  Lsn lsn_ = 0;         // after the last whole unit
  Lsn next_frame_ = 0;  // after the last frame
  bool clean_ = false;
  bool after_loss_ = false;
  std::optional<LogFault> open_;  // begun, and its end not seen yet
};

Status LogSurveyor::Run() {
  CAIRN_ASSIGN_OR_RETURN(chain_, ChainFinder(options_, request_, &survey_).Find());
  if (chain_.empty()) return Status::Ok();
  survey_.first_lsn = chain_.front().info.header.continues_from;
  lsn_ = std::min(request_.from, survey_.first_lsn);
  if (request_.from >= survey_.first_lsn) lsn_ = survey_.first_lsn;
  for (size_t i = 0; i < chain_.size() && lsn_ < request_.until; i++) CAIRN_RETURN_IF_ERROR(SurveySegment(i));
  survey_.end_lsn = lsn_;
  survey_.clean_end = clean_;
  // What no mark covers may never have been whole.
  for (LogFault& fault : survey_.faults) {
    const bool at_the_end = fault.file == chain_.back().info.path && fault.offset >= kSegmentHeaderBytes;
    if (at_the_end && fault.from_lsn >= survey_.durable_mark && !clean_) fault.kind = LogFault::Kind::kTornTail;
  }
  return Status::Ok();
}

// The stream's way from the segment before to this one.
Status LogSurveyor::EnterSegment(size_t index) {
  index_ = index;
  const Link& link = chain_[index];
  const SegmentHeader& header = link.info.header;
  survey_.segments.push_back({.path = link.info.path,
                              .header = header,
                              .header_damaged = link.header_damaged,
                              .file_bytes = link.info.file_bytes,
                              .end_lsn = header.first_lsn,
                              .last_wall_us = header.wall_us});
  // The leap after an unclean end is none of the bytes' doing; a damaged header does not say where it begins.
  const bool leapt = link.header_damaged && header.first_lsn - std::min(header.first_lsn, lsn_) >= kUncleanLsnGap;
  if (lsn_ < header.continues_from && !leapt) {
    LogFault fault{.kind = LogFault::Kind::kMissing, .from_lsn = lsn_, .until_lsn = header.continues_from};
    fault.file = link.missing_before.empty() ? link.info.path : link.missing_before;
    fault.what = link.missing_before.empty() ? "what stood before it is not there" : "the file is missing";
    survey_.faults.push_back(std::move(fault));
    after_loss_ = true;
  }
  lsn_ = next_frame_ = header.first_lsn;
  clean_ = false;
  unit_.Drop();
  NoteMark(header.durable_lsn);
  Result<std::unique_ptr<SegmentReader>> opened = SegmentReader::Open(*options_.fs, link.info);
  if (!opened.ok() && opened.status().code() == StatusCode::kNotFound && request_.live) {
    reader_.reset();
    lsn_ = std::max(lsn_, limit() == UINT64_MAX ? lsn_ : limit());
    return Status::Ok();
  }
  if (!opened.ok()) return opened.status();
  reader_ = std::move(*opened);
  return Status::Ok();
}

Status LogSurveyor::SurveySegment(size_t index) {
  CAIRN_RETURN_IF_ERROR(EnterSegment(index));
  bool more = reader_ != nullptr;
  while (more && lsn_ < request_.until && !clean_) {
    FrameHeader frame;
    std::string_view payload;
    const uint64_t offset = reader_->offset();
    const SegmentReader::Outcome outcome = reader_->Next(&frame, &payload);
    if (outcome == SegmentReader::Outcome::kReadError) return reader_->status();
    if (outcome == SegmentReader::Outcome::kEnd) {
      CAIRN_RETURN_IF_ERROR(lsn_ >= limit() ? PassToControlFrame(&more) : PassOver(&more));
      continue;
    }
    if (frame.end_lsn() > limit()) {
      segment().superseded_bytes = reader_->file_bytes() - offset;
      break;
    }
    NoteMark(frame.durable_lsn);
    segment().frames++;
    segment().last_wall_us = std::max(segment().last_wall_us, frame.wall_us);
    survey_.checked_bytes += reader_->offset() - offset;
    const bool part = frame.kind == FrameKind::kMiddle || frame.kind == FrameKind::kCommit;
    if (open_ || frame.first_lsn != next_frame_ || !unit_.Fits(frame.kind)) {
      if (!open_) BeginFault(offset, "a frame that does not continue the one before");
      unit_.Drop();
      next_frame_ = frame.end_lsn();
      if (part || frame.first_lsn < lsn_) continue;
      EndFault(offset, frame.first_lsn);
      lsn_ = frame.first_lsn;
    }
    CAIRN_RETURN_IF_ERROR(TakeFrame(frame, payload));
  }
  if (reader_ == nullptr || lsn_ >= request_.until) return Status::Ok();
  return EndSegment();
}

Status LogSurveyor::PassOver(bool* more) {
  const uint64_t offset = reader_->offset();
  for (int tries = request_.live && last() ? kLiveTries : 1; tries > 0; tries--) {
    CAIRN_ASSIGN_OR_RETURN(const std::optional<uint64_t> at, reader_->FindFrame(offset, lsn_));
    if (at) {
      if (*at > offset) BeginFault(offset, "bytes that are no frame");
      CAIRN_ASSIGN_OR_RETURN(reader_, SegmentReader::Open(*options_.fs, chain_[index_].info, *at));
      return Status::Ok();
    }
    if (tries == 1) break;
    std::this_thread::sleep_for(kLivePause);
    CAIRN_ASSIGN_OR_RETURN(reader_, SegmentReader::Open(*options_.fs, chain_[index_].info, offset));
  }
  *more = false;
  return Status::Ok();
}

Status LogSurveyor::PassToControlFrame(bool* more) {
  *more = false;
  const uint64_t offset = reader_->offset();
  CAIRN_ASSIGN_OR_RETURN(const std::optional<uint64_t> at, reader_->FindFrame(offset, lsn_));
  if (!at) return Status::Ok();
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> next, SegmentReader::Open(*options_.fs, chain_[index_].info, *at));
  FrameHeader frame;
  std::string_view payload;
  if (next->Next(&frame, &payload) != SegmentReader::Outcome::kFrame) return next->status();
  if (frame.carries_stream()) return Status::Ok();
  BeginFault(offset, "bytes that are no frame");
  EndFault(*at, lsn_);
  CAIRN_ASSIGN_OR_RETURN(reader_, SegmentReader::Open(*options_.fs, chain_[index_].info, *at));
  *more = true;
  return Status::Ok();
}

Status LogSurveyor::TakeFrame(const FrameHeader& frame, std::string_view payload) {
  SharedBytes whole;
  switch (frame.kind) {
    case FrameKind::kData: CAIRN_RETURN_IF_ERROR(DeliverUnits({lsn_, payload, frame.wall_us, reader_->buffer()})); break;
    case FrameKind::kBegin:
    case FrameKind::kMiddle:
    case FrameKind::kCommit: {
      const UnitAssembler::Outcome outcome = unit_.Take(frame, payload, reader_->file_bytes(), &whole);
      if (outcome == UnitAssembler::Outcome::kWhole) {
        CAIRN_RETURN_IF_ERROR(DeliverUnits({lsn_, whole.view(), frame.wall_us, whole}));
      }
      if (outcome == UnitAssembler::Outcome::kBadLength) {
        BeginFault(reader_->offset(), "a unit that is not as long as it says");
        unit_.Drop();
      }
      break;
    }
    case FrameKind::kSuccessor: {
      const Successor named = DecodeSuccessor(payload);
      const bool follows = !last() && named.continues_from == lsn_ && chain_[index_ + 1].info.header.file_id >= named.file_id;
      if (!follows && !(request_.live && last())) {
        survey_.faults.push_back({.kind = LogFault::Kind::kMissing,
                                  .file = JoinPath(options_.directory, SegmentFileName(named.file_id)),
                                  .from_lsn = lsn_,
                                  .until_lsn = last() ? UINT64_MAX : lsn_,
                                  .what = "the segment that " + reader_->path() + " names as its successor is missing"});
      }
      break;
    }
    case FrameKind::kCleanEnd: clean_ = true; break;
    case FrameKind::kMark: break;
  }
  next_frame_ = frame.end_lsn();
  if (!unit_.in_unit() && !open_) lsn_ = next_frame_;
  segment().end_lsn = lsn_;
  return Status::Ok();
}

Status LogSurveyor::DeliverUnits(const LogFrame& frame) {
  LogFrame units = frame;
  // Marks of a log that is being written stand behind what they cover, so this is between units.
  if (units.first_lsn + units.payload.size() > request_.until) {
    units.payload = units.payload.substr(0, request_.until - units.first_lsn);
  }
  survey_.units_bytes += units.payload.size();
  return callback_({units, reader_->path(), std::exchange(after_loss_, false)});
}

// The segment has no further frame that counts.
Status LogSurveyor::EndSegment() {
  if (last()) return EndLog();
  const uint64_t offset = open_ ? open_->offset : reader_->offset();
  if (lsn_ < limit()) {
    CAIRN_ASSIGN_OR_RETURN(const uint64_t used, reader_->NonZeroBytesFrom(offset));
    if (!open_) BeginFault(offset, clean_ ? "the log was switched off here, or a file is missing" : "the file ends too early");
    EndFault(offset + used, limit());
    lsn_ = limit();
    return Status::Ok();
  }
  const uint64_t rest = reader_->file_bytes() - std::min(reader_->file_bytes(), reader_->offset());
  if (open_ || segment().superseded_bytes > 0 || rest == 0) {
    if (open_) EndFault(reader_->offset(), lsn_);
    return Status::Ok();
  }
  // A finished segment ends with one of two frames; anything else is what a failed write left.
  if (rest != kSuccessorFrameBytes && rest != kFrameHeaderBytes) {
    segment().superseded_bytes = rest;
    return Status::Ok();
  }
  BeginFault(reader_->offset(), "the frame with which the segment ended is no frame");
  EndFault(reader_->file_bytes(), lsn_);
  return Status::Ok();
}

Status LogSurveyor::EndLog() {
  // Where the durable end is known, what does not reach it is damaged; otherwise the end moves on.
  if (request_.live && request_.until == UINT64_MAX) return Status::Ok();
  if (request_.until != UINT64_MAX) NoteMark(request_.until);
  const uint64_t offset = open_ ? open_->offset : reader_->offset();
  CAIRN_ASSIGN_OR_RETURN(const uint64_t used, reader_->NonZeroBytesFrom(offset));
  if (clean_) {
    if (used == 0) return Status::Ok();
    BeginFault(offset, "bytes behind the log's clean end");
    EndFault(offset + used, lsn_);
    return Status::Ok();
  }
  const bool lost = survey_.durable_mark > lsn_;
  if (used == 0 && !lost && !open_) return Status::Ok();
  if (!open_) BeginFault(offset, lost ? "bytes are missing that a durable mark covers" : "bytes that are no whole frame");
  EndFault(offset + used, lost ? survey_.durable_mark : lsn_);
  return Status::Ok();
}

void LogSurveyor::BeginFault(uint64_t offset, std::string what) {
  if (open_) return;
  open_ = LogFault{.file = reader_->path(), .offset = offset, .from_lsn = lsn_, .what = std::move(what)};
}

void LogSurveyor::EndFault(uint64_t end_offset, Lsn until) {
  LogFault fault = std::move(*open_);
  open_.reset();
  fault.bytes = end_offset - fault.offset;
  fault.until_lsn = std::max(until, fault.from_lsn);
  after_loss_ = after_loss_ || fault.loses();
  fault.sample.resize(std::min<uint64_t>(fault.bytes, kSampleBytes));
  Result<std::unique_ptr<RandomAccessFile>> file = options_.fs->OpenForReading(fault.file);
  const Result<size_t> got =
      file.ok() ? (*file)->Read(fault.offset, fault.sample.size(), fault.sample.data()) : Result<size_t>(0);
  fault.sample.resize(got.ok() ? *got : 0);
  survey_.faults.push_back(std::move(fault));
}

}  // namespace

Status SurveyLog(const LogOptions& options, const SurveyRequest& request, const SurveyCallback& callback, LogSurvey* survey) {
  *survey = LogSurvey();
  return LogSurveyor(options, request, callback, survey).Run();
}

}  // namespace cairn
