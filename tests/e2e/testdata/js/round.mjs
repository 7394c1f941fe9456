// A round through the API with aws-sdk-js v3, as a program of a user would make it, and a form as a browser posts it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const client = new s3.S3Client({ endpoint: process.env.ENDPOINT, region: "us-east-1", forcePathStyle: true });
const Bucket = "javascript";
const call = (Command, input = {}) => client.send(new Command({ Bucket, ...input }));
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());
const md5 = (data) => `"${createHash("md5").update(data).digest("hex")}"`;

async function refused(name, status, Command, input) {
  await assert.rejects(call(Command, input), (e) => {
    assert.equal(`${e.name} ${e.$metadata.httpStatusCode}`, `${name} ${status}`, e.message);
    return true;
  });
}

await call(s3.CreateBucketCommand);
await s3.waitUntilBucketExists({ client, maxWaitTime: 20 }, { Bucket });

// Bodies of every kind that the SDK sends: whole, streamed with a trailing checksum, large enough for Expect: 100-continue.
const keys = ["dir/a b+c=d é.bin", "a//b", "trailing/", "%2F", "ünïcode/日本語", "key", "key/child", "q?x=1&y#z", "'\"<>&"];
for (const Key of keys) {
  const data = Buffer.from(`content of ${Key}`);
  const put = await call(s3.PutObjectCommand, { Key, Body: data, Metadata: { note: "plain" } });
  assert.equal(put.ETag, md5(data));
  assert.ok(put.ChecksumCRC32, "the SDK's own checksum is kept");
  const got = await call(s3.GetObjectCommand, { Key, ChecksumMode: "ENABLED" });
  assert.deepEqual(await bytes(got), data);
  assert.equal(got.Metadata.note, "plain");
  assert.equal(got.ChecksumCRC32, put.ChecksumCRC32);
}
const large = randomBytes(5 * 1024 * 1024 + 3);
for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
  await call(s3.PutObjectCommand, { Key: "streamed", Body: Readable.from([large]), ContentLength: large.length, ChecksumAlgorithm });
  const head = await call(s3.HeadObjectCommand, { Key: "streamed", ChecksumMode: "ENABLED" });
  assert.equal(head.ContentLength, large.length);
  assert.ok(head[`Checksum${ChecksumAlgorithm}`], ChecksumAlgorithm);
}
await call(s3.PutObjectCommand, { Key: "large", Body: large });
await call(s3.PutObjectCommand, { Key: "empty", Body: "" });
assert.deepEqual(await bytes(await call(s3.GetObjectCommand, { Key: "large", Range: "bytes=10-19" })), large.subarray(10, 20));
await refused("InvalidRange", 416, s3.GetObjectCommand, { Key: "large", Range: `bytes=${large.length}-` });
await refused("NoSuchKey", 404, s3.GetObjectCommand, { Key: "absent" });
await refused("PreconditionFailed", 412, s3.PutObjectCommand, { Key: "large", Body: "x", IfNoneMatch: "*" });
await refused("BadDigest", 400, s3.PutObjectCommand, { Key: "large", Body: "x", ContentMD5: createHash("md5").update("y").digest("base64") });

// The SDK writes lists in headers with spaces.
const attributes = await call(s3.GetObjectAttributesCommand, { Key: "large", ObjectAttributes: ["ETag", "ObjectSize", "StorageClass", "Checksum"] });
assert.equal(`"${attributes.ETag}"`, md5(large));
assert.equal(attributes.ObjectSize, large.length);
assert.equal(attributes.StorageClass, "STANDARD");

// Multipart, by the manager of uploads and by hand, aborted and completed.
const huge = randomBytes(17 * 1024 * 1024 + 5);
const done = await new Upload({ client, params: { Bucket, Key: "huge", Body: Readable.from([huge.subarray(0, 9999999), huge.subarray(9999999)]) },
  partSize: 5 * 1024 * 1024, queueSize: 3 }).done();
assert.match(done.ETag, /^"[0-9a-f]{32}-4"$/);
assert.deepEqual(await bytes(await call(s3.GetObjectCommand, { Key: "huge" })), huge);
const { UploadId } = await call(s3.CreateMultipartUploadCommand, { Key: "given up" });
await call(s3.UploadPartCommand, { Key: "given up", UploadId, PartNumber: 1, Body: "part" });
assert.equal((await call(s3.ListPartsCommand, { Key: "given up", UploadId })).Parts.length, 1);
await call(s3.AbortMultipartUploadCommand, { Key: "given up", UploadId });
await refused("NoSuchUpload", 404, s3.ListPartsCommand, { Key: "given up", UploadId });

// Listings, by pages and with the encoding of keys that the SDK undoes or does not.
const listed = [];
for await (const page of s3.paginateListObjectsV2({ client, pageSize: 3 }, { Bucket })) listed.push(...page.Contents.map((o) => o.Key));
const want = [...keys, "streamed", "large", "empty", "huge"].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
assert.deepEqual(listed, want);
const folders = await call(s3.ListObjectsCommand, { Delimiter: "/", Prefix: "d" });
assert.deepEqual(folders.CommonPrefixes, [{ Prefix: "dir/" }]);

// Copies, tags, versions and deletes.
await call(s3.CopyObjectCommand, { Key: "copy", CopySource: encodeURI(`${Bucket}/ünïcode/日本語`), TaggingDirective: "REPLACE", Tagging: "a=1&b=zwei" });
assert.deepEqual((await call(s3.GetObjectTaggingCommand, { Key: "copy" })).TagSet, [{ Key: "a", Value: "1" }, { Key: "b", Value: "zwei" }]);
await call(s3.PutBucketVersioningCommand, { VersioningConfiguration: { Status: "Enabled" } });
const second = await call(s3.PutObjectCommand, { Key: "copy", Body: "second" });
await call(s3.DeleteObjectCommand, { Key: "copy" });
await refused("NoSuchKey", 404, s3.GetObjectCommand, { Key: "copy" });
const versions = await call(s3.ListObjectVersionsCommand, { Prefix: "copy" });
assert.deepEqual(versions.Versions.map((v) => v.VersionId), [second.VersionId, "null"]);
assert.equal(versions.DeleteMarkers.length, 1);

// Presigned URLs, and a form as a browser sends it.
const put = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: "by url" }), { expiresIn: 60 });
assert.equal((await fetch(put, { method: "PUT", body: "through a link" })).status, 200);
const get = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: "by url", ResponseContentType: "text/plain" }), { expiresIn: 60 });
const answer = await fetch(get);
assert.equal(await answer.text(), "through a link");
assert.equal(answer.headers.get("content-type"), "text/plain");
const { url, fields } = await createPresignedPost(client, { Bucket, Key: "forms/${filename}", Expires: 60,
  Conditions: [["content-length-range", 1, 1000], ["starts-with", "$Content-Type", "image/"]], Fields: { success_action_status: "201" } });
const form = (type, content) => {
  const f = new FormData();
  for (const [name, value] of Object.entries({ ...fields, "Content-Type": type })) f.append(name, value);
  f.append("file", new Blob([content], { type }), "cat é.png");
  return fetch(url, { method: "POST", body: f });
};
const posted = await form("image/png", "a picture");
assert.equal(posted.status, 201, await posted.clone().text());
assert.match(await posted.text(), /<Key>forms\/cat é.png<\/Key>/);
assert.equal((await call(s3.HeadObjectCommand, { Key: "forms/cat é.png" })).ContentType, "image/png");
assert.equal((await form("text/html", "no picture")).status, 403);
assert.equal((await form("image/png", "x".repeat(1001))).status, 400);

await refused("BucketNotEmpty", 409, s3.DeleteBucketCommand);
const all = await call(s3.ListObjectVersionsCommand);
const Objects = [...all.Versions, ...all.DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
const removed = await call(s3.DeleteObjectsCommand, { Delete: { Objects, Quiet: true } });
assert.equal(removed.Errors, undefined);
await call(s3.DeleteBucketCommand);
console.log("all passed");
