// ioredis against a running server: `node ioredis_client.mjs PORT`. Ends with exit code 0 when every check held.
import assert from 'node:assert/strict';
import Redis from 'ioredis';

const port = Number(process.argv[2]);
const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 1 });

async function strings() {
  await redis.flushall();
  assert.equal(await redis.set('greeting', 'hello', 'EX', 100), 'OK');
  assert.equal(await redis.get('greeting'), 'hello');
  const ttl = await redis.ttl('greeting');
  assert.ok(ttl > 90 && ttl <= 100);
  assert.equal(await redis.get('absent'), null);
  assert.equal(await redis.incrby('hits', 5), 5);
  assert.equal(await redis.incrbyfloat('price', 1.5), '1.5');
  const binary = Buffer.from([0, 13, 10, 255, 0]);
  await redis.set('binary', binary);
  assert.deepEqual(await redis.getBuffer('binary'), binary);
  const large = Buffer.alloc(3 << 20, 'x');
  await redis.set('large', large);
  assert.ok((await redis.getBuffer('large')).equals(large));
  assert.deepEqual(await redis.mget('greeting', 'absent', 'hits'), ['hello', null, '5']);
}

async function rateLimiter() {
  for (let i = 1; i <= 5; i++) {
    const [[, count], [, expiry]] = await redis.multi().incr('limit:user').pexpire('limit:user', 60000, 'NX').exec();
    assert.equal(count, i);
    assert.equal(expiry, i === 1 ? 1 : 0);
  }
}

async function lock() {
  assert.equal(await redis.set('lock', 'owner-1', 'PX', 50, 'NX'), 'OK');
  assert.equal(await redis.set('lock', 'owner-2', 'PX', 50, 'NX'), null);
  await new Promise((done) => setTimeout(done, 80));
  assert.equal(await redis.set('lock', 'owner-2', 'PX', 50, 'NX'), 'OK');
}

async function pipelinesAndTransactions() {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 5000; i++) pipeline.set(`p:${i}`, i).get(`p:${i}`);
  const replies = await pipeline.exec();
  assert.equal(replies.length, 10000);
  replies.forEach(([error, reply], i) => {
    assert.equal(error, null);
    assert.equal(reply, i % 2 ? String((i - 1) / 2) : 'OK');
  });
  const other = redis.duplicate();
  await redis.watch('hits');
  await other.incr('hits');
  assert.equal(await redis.multi().set('hits', 0).exec(), null);
  other.disconnect();
}

async function scanning() {
  const found = new Set();
  for await (const keys of redis.scanStream({ match: 'p:*', count: 100 })) keys.forEach((key) => found.add(key));
  assert.equal(found.size, 5000);
}

async function pubsub() {
  const subscriber = redis.duplicate();
  const messages = [];
  subscriber.on('message', (channel, text) => messages.push([channel, text]));
  subscriber.on('pmessage', (pattern, channel, text) => messages.push([pattern, channel, text]));
  assert.equal(await subscriber.subscribe('news'), 1);
  assert.equal(await subscriber.psubscribe('n?ws'), 2);
  assert.equal(await redis.publish('news', 'first'), 2);
  for (let waited = 0; messages.length < 2 && waited < 2000; waited += 10) await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(messages, [['news', 'first'], ['n?ws', 'news', 'first']]);
  await subscriber.unsubscribe('news');
  subscriber.disconnect();
}

async function introspection() {
  const info = await redis.info();
  assert.match(info, /redis_version:7\.\d+\.\d+/);
  assert.match(info, /loading:0/);
  assert.equal(await redis.client('SETNAME', 'tester'), 'OK');
  assert.match(await redis.client('LIST'), /name=tester/);
  await assert.rejects(redis.call('NOSUCHCOMMAND'), /unknown command/);
  await assert.rejects(redis.call('GET'), /wrong number of arguments/);
}

for (const check of [strings, rateLimiter, lock, pipelinesAndTransactions, scanning, pubsub, introspection]) {
  await check();
  console.log(`ok ${check.name}`);
}
redis.disconnect();
