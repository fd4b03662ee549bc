// A collection as a decoder or a command built it, ready to become a key's value.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "engine/keyspace/entry.h"
#include "engine/values/large_value.h"

namespace cairn {

struct LoadedValue {
  ValueType type = ValueType::kString;
  Encoding encoding = Encoding::kPacked;  // kPacked, kIntSet or kLarge
  std::string packed;                     // the inline bytes of the first two, at most kPackedMaxBytes
  std::unique_ptr<LargeValue> large;
};

// What a decoder says of a collection without elements, which no key holds: kNotFound, because old versions of Redis wrote such keys,
// and whoever reads their files leaves them out.
inline Status EmptyCollection(std::string what) { return Status::NotFound(std::move(what)); }

}  // namespace cairn
