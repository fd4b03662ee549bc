// Collections in the keyspace: packed values that grow and move, large values that a snapshot or a copy shares, deadlines inside them.
#include "engine/keyspace/value_edit.h"

#include "engine/codec/loaded_value.h"
#include "engine/keyspace/snapshot_cut.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

// The smallest large value: one number in a node, and a deadline.
class NumberValue final : public LargeValue {
 public:
  struct Node : CowNode {
    explicit Node(int64_t of) : number(of) { live++; }
    ~Node() { live--; }
    int64_t number;
    static inline int live = 0;
  };

  explicit NumberValue(int64_t number) : node_(new Node(number)) {}
  ~NumberValue() override { FreeStep(1); }
  std::unique_ptr<LargeValue> Share() const override {
    node_->AddReference();
    auto shared = std::make_unique<NumberValue>(node_);
    shared->deadline_ms = deadline_ms;
    return shared;
  }
  explicit NumberValue(Node* node) : node_(node) {}
  uint64_t element_count() const override { return 1; }
  uint64_t memory_bytes() const override { return bytes; }
  bool FreeStep(size_t) override {
    if (node_ != nullptr && node_->DropReference()) delete node_;
    node_ = nullptr;
    return false;
  }
  int64_t next_deadline_ms() const override { return deadline_ms; }

  int64_t number() const { return node_->number; }
  void SetNumber(int64_t number) {
    if (node_->shared()) {
      Node* copy = new Node(number);
      if (node_->DropReference()) delete node_;
      node_ = copy;
    }
    node_->number = number;
  }
  uint64_t bytes = 100;
  int64_t deadline_ms = INT64_MAX;

 private:
  Node* node_;
};

class ValueEditTest : public testing::Test {
 protected:
  ~ValueEditTest() override {
    while (keyspace_.FreePending(1000)) {
    }
  }
  ValueEdit Edit(AllLocked& locked, const KeyRef& key) { return ValueEdit(keyspace_, locked.scope, 0, key, &expired_); }
  const Entry* Get(AllLocked& locked, const KeyRef& key) { return keyspace_.Find(locked.scope, 0, key, Keyspace::Access::kPeek); }

  Keyspace keyspace_{KeyspaceOptions{}};
  const KeyRef key_ = KeyRef::Of("key");
  uint64_t expired_ = 0;
};

TEST_F(ValueEditTest, SplicesLikeAString) {
  CAIRN_SEEDED(random);
  AllLocked locked(keyspace_);
  std::string model = "start";
  Edit(locked, key_).StorePacked(ValueType::kHash, Encoding::kPacked, model);
  EXPECT_EQ(locked.scope.events().size(), 1u);
  for (int i = 0; i < 3000; i++) {
    const size_t offset = random.Uniform(model.size() + 1);
    const size_t removed = random.Uniform(std::min<size_t>(model.size() - offset, 60) + 1);
    const std::string inserted(random.Uniform(model.size() > 20000 ? 10 : 90), static_cast<char>('a' + i % 26));
    model.replace(offset, removed, inserted);
    ValueEdit edit = Edit(locked, key_);
    edit.Splice(offset, removed, inserted);
    ASSERT_EQ(edit.entry()->packed(), model);
    if (!model.empty()) {
      edit.MutablePacked()[0] = '#';
      model[0] = '#';
    }
  }
  const Entry* entry = Get(locked, key_);
  EXPECT_EQ(entry->packed(), model);
  EXPECT_EQ(entry->type(), ValueType::kHash);
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
}

TEST_F(ValueEditTest, AnEditTouchesOnceAndKeepsTheExpiry) {
  AllLocked locked(keyspace_);
  Edit(locked, key_).StorePacked(ValueType::kList, Encoding::kPacked, "one");
  keyspace_.SetExpiry(locked.scope, 0, key_, 5000);
  const uint64_t before = locked.scope.changes();
  {
    ValueEdit edit = Edit(locked, key_);
    edit.Splice(0, 3, std::string(5000, 'x'));
    edit.Splice(0, 10, "");
    edit.StoreLarge(ValueType::kList, std::make_unique<NumberValue>(1));
  }
  EXPECT_EQ(locked.scope.changes(), before + 1);
  EXPECT_EQ(Get(locked, key_)->expiry_ms(), 5000);
  locked.scope.now_ms = 6000;
  EXPECT_EQ(Edit(locked, key_).entry(), nullptr);
  EXPECT_EQ(expired_, 1u);
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
}

TEST_F(ValueEditTest, EditsOfOneTableOverlap) {
  AllLocked locked(keyspace_);
  std::vector<std::string> names;
  for (int i = 0; names.size() < 300; i++) {  // one shard, so that insertions move slots
    const std::string name = "k" + std::to_string(i);
    if (KeyRef::Of(name).shard() == key_.shard()) names.push_back(name);
  }
  ValueEdit first = Edit(locked, key_);
  first.StoreLarge(ValueType::kSet, std::make_unique<NumberValue>(1));
  first.Mutable<NumberValue>().bytes += 1000;
  for (const std::string& name : names) {
    const KeyRef other = KeyRef::Of(name);
    ValueEdit edit = Edit(locked, other);
    edit.StorePacked(ValueType::kSet, Encoding::kIntSet, name);
    first.Mutable<NumberValue>().bytes += 10;
    if (name.back() == '7') edit.Remove();
  }
  EXPECT_EQ(first.entry()->large_as<NumberValue>().bytes, 100 + 1000 + 3000u);
  first.StorePacked(ValueType::kSet, Encoding::kPacked, "small again");
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
}

TEST_F(ValueEditTest, MutableValuesAreCountedWhenTheEditEnds) {
  AllLocked locked(keyspace_);
  {
    ValueEdit edit = Edit(locked, key_);
    edit.StoreLarge(ValueType::kHash, std::make_unique<NumberValue>(1));
    edit.Mutable<NumberValue>().bytes = 5000;
    edit.Mutable<NumberValue>().deadline_ms = 7000;
  }
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
  EXPECT_EQ(keyspace_.NextExpiryMs(), 7000);
  keyspace_.SetExpiry(locked.scope, 0, key_, 9000);  // moves the entry
  Edit(locked, key_).Mutable<NumberValue>().deadline_ms = 8000;
  EXPECT_EQ(keyspace_.NextExpiryMs(), 8000);
  keyspace_.Delete(locked.scope, 0, key_);
  EXPECT_EQ(keyspace_.NextExpiryMs(), INT64_MAX);
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
}

TEST_F(ValueEditTest, CopiesShareUntilOneChanges) {
  AllLocked locked(keyspace_);
  const KeyRef copy = KeyRef::Of("copy");
  Edit(locked, key_).StoreLarge(ValueType::kSortedSet, std::make_unique<NumberValue>(1));
  keyspace_.CopyEntry(locked.scope, *Get(locked, key_), 0, copy);
  EXPECT_EQ(NumberValue::Node::live, 1);
  Edit(locked, copy).Mutable<NumberValue>().SetNumber(2);
  EXPECT_EQ(NumberValue::Node::live, 2);
  EXPECT_EQ(Get(locked, key_)->large_as<NumberValue>().number(), 1);
  EXPECT_EQ(Get(locked, copy)->large_as<NumberValue>().number(), 2);
  keyspace_.SetString(locked.scope, 0, key_, {"text"}, {});
  EXPECT_EQ(Get(locked, key_)->type(), ValueType::kString);
  Edit(locked, copy).Remove();
  EXPECT_EQ(Get(locked, copy), nullptr);
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
  EXPECT_EQ(NumberValue::Node::live, 0);
}

TEST_F(ValueEditTest, ALoadedCollectionReplacesWhatIsThere) {
  AllLocked locked(keyspace_);
  keyspace_.SetString(locked.scope, 0, key_, {"text"}, {});
  keyspace_.LoadCollection(0, key_, {ValueType::kHash, Encoding::kPacked, "packed", nullptr}, {.expiry_ms = 4000}, 1000, false);
  EXPECT_EQ(Get(locked, key_)->packed(), "packed");
  EXPECT_EQ(Get(locked, key_)->expiry_ms(), 4000);
  keyspace_.LoadCollection(0, key_, {ValueType::kHash, Encoding::kLarge, "", std::make_unique<NumberValue>(3)}, {}, 1000, false);
  EXPECT_EQ(Get(locked, key_)->large_as<NumberValue>().number(), 3);
  EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_));
}

}  // namespace
}  // namespace cairn
