#include "engine/commands/list_apart.h"

#include <utility>

namespace cairn {
namespace {

class ListWork final : public ApartWork {
 public:
  ListWork(std::unique_ptr<ListValue> list, ListChange change) : list_(std::move(list)), change_(std::move(change)) {}

  void Run() override { changed_ = change_(*list_, &result_); }

  // While the share is held, whoever changes the list copies its root.
  bool Fits(const ListValue& list) const { return list_ != nullptr && list.SameAs(*list_); }
  std::unique_ptr<ListValue> Take(int64_t* result) {
    // Before the list itself goes to the background, so that this is not the last holder of all its nodes.
    list_.reset();
    *result = result_;
    return std::move(changed_);
  }

 private:
  std::unique_ptr<ListValue> list_;
  const ListChange change_;
  std::unique_ptr<ListValue> changed_;
  int64_t result_ = 0;
};

}  // namespace

Apart ChangeApart(CommandContext& context, ListEdit& list, ListChange change, int64_t* result) {
  const ListValue* const value = list.large();
  if (value == nullptr) return Apart::kHere;
  auto* const work = context.apart<ListWork>();
  if (work != nullptr && work->Fits(*value)) {
    std::unique_ptr<ListValue> changed = work->Take(result);
    if (changed != nullptr) list.Replace(std::move(changed));
    return Apart::kDone;
  }
  if (!context.may_work_apart()) return Apart::kHere;
  context.WorkApart(std::make_shared<ListWork>(value->ShareList(), std::move(change)));
  return Apart::kAsked;
}

}  // namespace cairn
