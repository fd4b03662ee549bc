// Bytes and views: owned immutable buffers that several holders share, and the small integer codecs of the durable formats.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

// A log sequence number: a byte offset in the stream of logged commands. Within a directory LSNs only grow and are never reused.
using Lsn = uint64_t;

// Little-endian fixed-width integers, unaligned. The caller provides the room.
template <typename T>
inline void StoreLittleEndian(void* to, T value) {
  static_assert(std::is_integral_v<T>);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < sizeof(T); i++) static_cast<uint8_t*>(to)[i] = static_cast<uint8_t>(value >> (8 * i));
#else
  std::memcpy(to, &value, sizeof(T));
#endif
}

template <typename T>
inline T LoadLittleEndian(const void* from) {
  static_assert(std::is_integral_v<T>);
  T value;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = 0;
  for (size_t i = 0; i < sizeof(T); i++) value |= static_cast<T>(static_cast<const uint8_t*>(from)[i]) << (8 * i);
#else
  std::memcpy(&value, from, sizeof(T));
#endif
  return value;
}

// Of two texts of one size, from sizeof(T) to twice that: whether they are equal.
template <typename T>
inline bool EqualEnds(std::string_view a, std::string_view b) {
  const size_t last = a.size() - sizeof(T);
  return LoadLittleEndian<T>(a.data()) == LoadLittleEndian<T>(b.data()) &&
         LoadLittleEndian<T>(a.data() + last) == LoadLittleEndian<T>(b.data() + last);
}

// a == b. Without a call where they are as short as most keys and names are: it would take longer than the comparison.
inline bool EqualBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= 8) return EqualEnds<uint64_t>(a, b);
  if (size >= 4) return EqualEnds<uint32_t>(a, b);
  if (size >= 2) return EqualEnds<uint16_t>(a, b);
  return size == 0 || a[0] == b[0];
}

// A reference-counted immutable byte buffer in one allocation. Copies share; the last holder frees. The count is atomic, the
// bytes are constant once shared, so any thread may hold one. A default-constructed chunk is empty.
class SharedBytes {
 public:
  static constexpr size_t kHeaderBytes = 16;  // what the allocation takes beyond the bytes

  SharedBytes() = default;
  // Copies `bytes` into a new buffer.
  static SharedBytes Copy(std::string_view bytes);
  // A new buffer of `size` bytes with unspecified content, to be filled through mutable_data() before it is shared.
  static SharedBytes Allocate(size_t size);

  SharedBytes(const SharedBytes& other) : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() { Release(); }

  std::string_view view() const { return block_ ? std::string_view(block_->data(), block_->size) : std::string_view(); }
  size_t size() const { return block_ ? block_->size : 0; }
  bool unique() const { return block_ && block_->references.load(std::memory_order_acquire) == 1; }
  // Only while unique().
  char* mutable_data() { return block_->data(); }

  // For holders that keep the reference in packed bytes: the reference as a number (0 for the empty chunk), no longer counted by this
  // object, and back. Each Detach needs one Adopt.
  uint64_t Detach() { return reinterpret_cast<uint64_t>(std::exchange(block_, nullptr)); }
  static SharedBytes Adopt(uint64_t detached) { return SharedBytes(reinterpret_cast<Block*>(detached)); }

 private:
  struct Block {
    std::atomic<uint32_t> references;
    size_t size;
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  explicit SharedBytes(Block* block) : block_(block) {}
  void Release();
  Block* block_ = nullptr;
};

}  // namespace cairn
