// node-redis over RESP2 and RESP3, and connect-redis as a session store: `node node_redis_client.mjs PORT`.
import assert from 'node:assert/strict';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';

const port = Number(process.argv[2]);

async function basics(client) {
  await client.flushAll();
  assert.equal(await client.set('key', 'value', { EX: 50 }), 'OK');
  assert.equal(await client.get('key'), 'value');
  assert.equal(await client.incr('n'), 1);
  const [first, second] = await client.multi().incr('n').get('key').exec();
  assert.equal(first, 2);
  assert.equal(second, 'value');
  const keys = [];
  for await (const batch of client.scanIterator()) keys.push(...[batch].flat());
  assert.deepEqual(keys.sort(), ['key', 'n']);
}

async function pubsub(client) {
  const subscriber = client.duplicate();
  await subscriber.connect();
  const message = new Promise((done) => subscriber.subscribe('channel', done));
  for (let tries = 0; tries < 100 && (await client.publish('channel', 'hello')) === 0; tries++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(await message, 'hello');
  subscriber.destroy();
}

async function sessions(client) {
  const store = new RedisStore({ client, prefix: 'sess:', ttl: 100 });
  const call = (name, ...args) => new Promise((done, fail) => store[name](...args, (error, value) => (error ? fail(error) : done(value))));
  await call('set', 'abc', { cookie: { originalMaxAge: 60000 }, user: 'ada' });
  assert.equal((await call('get', 'abc')).user, 'ada');
  await call('touch', 'abc', { cookie: {} });
  assert.equal(await call('length'), 1);
  await call('destroy', 'abc');
  assert.ok(!(await call('get', 'abc')));
}

for (const RESP of [2, 3]) {
  const client = createClient({ socket: { host: '127.0.0.1', port }, RESP });
  client.on('error', (error) => { throw error; });
  await client.connect();
  for (const check of [basics, pubsub, sessions]) {
    await check(client);
    console.log(`ok RESP${RESP} ${check.name}`);
  }
  client.destroy();
}
