// What the server calls itself.
#pragma once

#include <string_view>

namespace cairn {

inline constexpr std::string_view kCairnVersion = "0.1.0";
// The version of Redis whose behaviour clients may expect; they choose their ways by it (INFO's redis_version, HELLO's version).
inline constexpr std::string_view kRedisVersion = "7.0.15";

}  // namespace cairn
