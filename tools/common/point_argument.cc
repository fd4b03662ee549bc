#include "tools/common/point_argument.h"

#include <algorithm>
#include <ctime>

#include "base/numbers.h"

namespace cairn {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kUsPerMs = 1'000;
constexpr size_t kFractionDigits = 6;
constexpr int64_t kZoneHoursMost = 14;
constexpr std::time_t kSecondsPerDay = 86'400;
// What a Unix time of so many digits counts.
constexpr size_t kSecondsDigitsMost = 11, kMsDigitsMost = 14, kDigitsMost = 18;

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes ".25" off the end of *text; false where what follows the point is no fraction.
bool TakeFraction(std::string_view* text, int64_t* us) {
  *us = 0;
  const size_t point = text->find('.');
  if (point == std::string_view::npos) return true;
  std::string digits(text->substr(point + 1));
  if (!AllDigits(digits)) return false;
  digits.resize(kFractionDigits, '0');
  for (const char c : digits) *us = *us * 10 + (c - '0');
  *text = text->substr(0, point);
  return true;
}

// Takes "Z", "UTC" or "+02:00" off the end of *text. *local: there is none.
bool TakeZone(std::string_view* text, bool* local, int64_t* east_s) {
  *local = false;
  *east_s = 0;
  for (const std::string_view utc : {" UTC", "UTC", "Z", "z"}) {
    if (!text->ends_with(utc)) continue;
    text->remove_suffix(utc.size());
    return true;
  }
  const size_t time_at = text->find(':');
  const size_t sign = time_at == std::string_view::npos ? time_at : text->find_first_of("+-", time_at);
  *local = sign == std::string_view::npos;
  if (*local) return true;
  std::string digits(text->substr(sign + 1));
  std::erase(digits, ':');
  if (!AllDigits(digits) || digits.size() != 4) return false;
  const int64_t hours = std::stoi(digits.substr(0, 2)), minutes = std::stoi(digits.substr(2));
  if (hours > kZoneHoursMost || minutes > 59) return false;
  *east_s = ((*text)[sign] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  *text = text->substr(0, sign);
  while (text->ends_with(' ')) text->remove_suffix(1);
  return true;
}

Result<int64_t> ParseNumber(std::string_view text, std::string_view whole) {
  int64_t us = 0;
  const bool has_fraction = text.find('.') != std::string_view::npos;
  uint64_t number = 0;
  const size_t most_digits = has_fraction ? kSecondsDigitsMost : kDigitsMost;  // only seconds have a fraction
  if (!TakeFraction(&text, &us) || text.size() > most_digits || !ParseUint64(text, &number)) {
    return Status::InvalidArgument("'" + std::string(whole) + "' is no time");
  }
  const auto value = static_cast<int64_t>(number);
  if (text.size() <= kSecondsDigitsMost) return value * kUsPerSecond + us;
  return text.size() <= kMsDigitsMost ? value * kUsPerMs : value;
}

// How far the machine's zone is east of UTC at a moment.
std::time_t EastAt(std::time_t moment) {
  std::tm parts{};
  localtime_r(&moment, &parts);
  return parts.tm_gmtoff;
}

// The moment at which clocks of the machine's zone showed what they show in UTC at `shown`. Around a change of the clocks a reading means
// one moment by the offset before it and another by the one after it; it was really there where its offset is the one of that moment.
Result<std::time_t> MomentOfLocal(std::time_t shown, std::string_view whole) {
  const std::time_t earlier = shown - EastAt(shown - kSecondsPerDay), later = shown - EastAt(shown + kSecondsPerDay);
  const bool by_earlier = earlier + EastAt(earlier) == shown, by_later = later + EastAt(later) == shown;
  if (by_earlier != by_later || earlier == later) return by_earlier ? earlier : later;
  const auto text = [](std::time_t moment) { return UtcText(static_cast<int64_t>(moment) * kUsPerSecond); };
  return Status::InvalidArgument("'" + std::string(whole) + "' is " + (by_earlier ? "twice" : "never") +
                                 " a local time, because the clocks were put " + (by_earlier ? "back" : "forward") +
                                 ": say which is meant, " + text(std::min(earlier, later)) + " or " +
                                 text(std::max(earlier, later)));
}

}  // namespace

Result<int64_t> ParseTime(std::string_view text, Zone zone) {
  const std::string_view whole = text;
  if (text.find(':') == std::string_view::npos) return ParseNumber(text, whole);
  const Status wrong = Status::InvalidArgument("'" + std::string(whole) + "' is no time: write 2026-11-23 10:15:00 (" +
                                               (zone == Zone::kLocal ? "local" : "UTC") + "), with Z for UTC, or a Unix time");
  bool local = false;
  int64_t east_s = 0, us = 0;
  if (!TakeZone(&text, &local, &east_s) || !TakeFraction(&text, &us)) return wrong;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), 'T', ' ');
  std::tm parts{};
  const char* const end = strptime(plain.c_str(), "%Y-%m-%d %H:%M:%S", &parts);
  if (end == nullptr || *end != '\0' || parts.tm_year < 70) return wrong;
  const std::tm read = parts;
  std::time_t seconds = timegm(&parts);  // which turns a day that there is not into another
  if (parts.tm_mday != read.tm_mday || parts.tm_mon != read.tm_mon || parts.tm_sec != read.tm_sec) return wrong;
  if (local && zone == Zone::kLocal) {
    CAIRN_ASSIGN_OR_RETURN(seconds, MomentOfLocal(seconds, whole));
  }
  if (seconds < 0) return wrong;
  return (static_cast<int64_t>(seconds) - east_s) * kUsPerSecond + us;
}

Result<PointInTime> ParsePoint(std::optional<std::string_view> at, std::optional<std::string_view> at_lsn) {
  PointInTime point;
  if (at && at_lsn) return Status::InvalidArgument("--at and --at-lsn exclude each other");
  if (at && at->starts_with("lsn:")) {
    at_lsn = at->substr(4);
    at.reset();
  }
  if (at) {
    point.kind = PointInTime::Kind::kTime;
    CAIRN_ASSIGN_OR_RETURN(point.unix_us, ParseTime(*at));
  } else if (at_lsn) {
    point.kind = PointInTime::Kind::kLsn;
    if (!ParseUint64(*at_lsn, &point.lsn)) return Status::InvalidArgument("'" + std::string(*at_lsn) + "' is no LSN");
  }
  return point;
}

}  // namespace cairn
