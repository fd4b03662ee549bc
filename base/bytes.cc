#include "base/bytes.h"

#include <new>

#include "base/allocator.h"

namespace cairn {

SharedBytes SharedBytes::Allocate(size_t size) {
  if (size == 0) return SharedBytes();
  void* memory = AllocateBytes(sizeof(Block) + size);
  Block* block = new (memory) Block;
  block->references.store(1, std::memory_order_relaxed);
  block->size = size;
  return SharedBytes(block);
}

SharedBytes SharedBytes::Copy(std::string_view bytes) {
  SharedBytes copy = Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.mutable_data(), bytes.data(), bytes.size());
  return copy;
}

void SharedBytes::Release() {
  if (block_ == nullptr) return;
  if (block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) FreeBytes(block_, sizeof(Block) + block_->size);
  block_ = nullptr;
}

}  // namespace cairn
