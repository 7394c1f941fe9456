"""Drives an S3 endpoint with boto3 as applications do. Prints "all passed" at the end."""
import io
import os
import hashlib

import boto3
import botocore
from boto3.s3.transfer import TransferConfig
from botocore.client import Config

MIB = 1 << 20


def client(**config):
    return boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], config=Config(retries={"max_attempts": 1}, **config))


s3 = client(signature_version="s3v4", s3={"addressing_style": "path"})


def refused(code, call, **kwargs):
    try:
        call(**kwargs)
    except botocore.exceptions.ClientError as e:
        got = e.response["Error"]["Code"]
        assert got == code, f"want {code}, got {got}: {e}"
        return e
    raise AssertionError(f"want {code}, got success")


s3.create_bucket(Bucket="boto")
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["boto"]
assert s3.get_bucket_location(Bucket="boto")["LocationConstraint"] is None
s3.head_bucket(Bucket="boto")
refused("404", s3.head_bucket, Bucket="absent")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="absent")

# Objects: metadata, system headers, ranges, conditions.
body = os.urandom(300_001)
put = s3.put_object(Bucket="boto", Key="k/é +", Body=body, ContentType="text/x", CacheControl="max-age=1",
                    Metadata={"colour": "blue"}, ContentDisposition="inline")
assert put["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
got = s3.get_object(Bucket="boto", Key="k/é +")
assert got["Body"].read() == body
assert got["ContentType"] == "text/x" and got["CacheControl"] == "max-age=1" and got["Metadata"] == {"colour": "blue"}
part = s3.get_object(Bucket="boto", Key="k/é +", Range="bytes=-7")
assert part["Body"].read() == body[-7:] and part["ContentRange"] == "bytes 299994-300000/300001"
assert s3.get_object(Bucket="boto", Key="k/é +", Range="bytes=65530-65545")["Body"].read() == body[65530:65546]
refused("InvalidRange", s3.get_object, Bucket="boto", Key="k/é +", Range="bytes=300001-")
refused("PreconditionFailed", s3.get_object, Bucket="boto", Key="k/é +", IfMatch='"0"')
refused("304", s3.get_object, Bucket="boto", Key="k/é +", IfNoneMatch=put["ETag"])
refused("NoSuchKey", s3.get_object, Bucket="boto", Key="absent")
override = s3.get_object(Bucket="boto", Key="k/é +", ResponseContentType="a/b", ResponseContentDisposition="attachment")
assert override["ContentType"] == "a/b" and override["ContentDisposition"] == "attachment"

# Keys that have broken servers.
for key in ["a//b", "..", "trailing/", "%2F", "a/../b", "日本語", "key", "key/child", "q?x=1&y#z", "'\"<>&", "x" * 1024, "/lead"]:
    s3.put_object(Bucket="boto", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="boto", Key=key)["Body"].read() == key.encode(), key
refused("KeyTooLongError", s3.put_object, Bucket="boto", Key="x" * 1025, Body=b"")

# Listings.
s3.create_bucket(Bucket="list")
keys = sorted(["d%d/e%d/f%d" % (i % 3, i % 5, i) for i in range(50)] + ["top%02d" % i for i in range(20)])
for key in keys:
    s3.put_object(Bucket="list", Key=key, Body=b"1")
for size in (1, 7, 1000):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="list", PaginationConfig={"PageSize": size})
    assert [o["Key"] for p in pages for o in p.get("Contents", [])] == keys, size
    pages = s3.get_paginator("list_objects").paginate(Bucket="list", PaginationConfig={"PageSize": size})
    assert [o["Key"] for p in pages for o in p.get("Contents", [])] == keys, size
page = s3.list_objects_v2(Bucket="list", Delimiter="/")
assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["d0/", "d1/", "d2/"] and page["KeyCount"] == 23
assert [o["Key"] for o in s3.list_objects_v2(Bucket="list", StartAfter="top17")["Contents"]] == ["top18", "top19"]
deleted = s3.delete_objects(Bucket="list", Delete={"Objects": [{"Key": k} for k in keys] + [{"Key": "absent"}]})
assert len(deleted["Deleted"]) == len(keys) + 1 and "Errors" not in deleted
assert s3.list_objects_v2(Bucket="list")["KeyCount"] == 0
s3.delete_bucket(Bucket="list")

# Copies.
s3.copy_object(Bucket="boto", Key="copy", CopySource={"Bucket": "boto", "Key": "k/é +"})
head = s3.head_object(Bucket="boto", Key="copy")
assert head["Metadata"] == {"colour": "blue"} and head["ContentLength"] == len(body)
s3.copy_object(Bucket="boto", Key="copy", CopySource="boto/copy", MetadataDirective="REPLACE", Metadata={"n": "1"})
assert s3.head_object(Bucket="boto", Key="copy")["Metadata"] == {"n": "1"}
assert s3.get_object(Bucket="boto", Key="copy")["Body"].read() == body
refused("InvalidRequest", s3.copy_object, Bucket="boto", Key="copy", CopySource="boto/copy")

# Multipart, managed and by hand, parts in any order.
data = os.urandom(13 * MIB + 5)
s3.upload_fileobj(io.BytesIO(data), "boto", "managed", Config=TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB))
out = io.BytesIO()
s3.download_fileobj("boto", "managed", out)
assert out.getvalue() == data
up = s3.create_multipart_upload(Bucket="boto", Key="hand", Metadata={"by": "hand"})["UploadId"]
parts = {}
for n in (3, 1, 2):
    chunk = data[(n - 1) * 5 * MIB:n * 5 * MIB]
    parts[n] = s3.upload_part(Bucket="boto", Key="hand", UploadId=up, PartNumber=n, Body=chunk)["ETag"]
assert [p["PartNumber"] for p in s3.list_parts(Bucket="boto", Key="hand", UploadId=up)["Parts"]] == [1, 2, 3]
assert [u["Key"] for u in s3.list_multipart_uploads(Bucket="boto")["Uploads"]] == ["hand"]
bad = {"Parts": [{"PartNumber": 1, "ETag": parts[2]}]}
refused("InvalidPart", s3.complete_multipart_upload, Bucket="boto", Key="hand", UploadId=up, MultipartUpload=bad)
order = {"Parts": [{"PartNumber": n, "ETag": parts[n]} for n in (2, 1, 3)]}
refused("InvalidPartOrder", s3.complete_multipart_upload, Bucket="boto", Key="hand", UploadId=up, MultipartUpload=order)
done = s3.complete_multipart_upload(Bucket="boto", Key="hand", UploadId=up,
                                    MultipartUpload={"Parts": [{"PartNumber": n, "ETag": parts[n]} for n in (1, 2, 3)]})
assert done["ETag"].endswith('-3"')
assert s3.get_object(Bucket="boto", Key="hand")["Body"].read() == data
second = s3.get_object(Bucket="boto", Key="hand", PartNumber=2)
assert second["Body"].read() == data[5 * MIB:10 * MIB] and second["PartsCount"] == 3
up = s3.create_multipart_upload(Bucket="boto", Key="gone")["UploadId"]
s3.upload_part(Bucket="boto", Key="gone", UploadId=up, PartNumber=1, Body=b"x")
s3.abort_multipart_upload(Bucket="boto", Key="gone", UploadId=up)
refused("NoSuchUpload", s3.list_parts, Bucket="boto", Key="gone", UploadId=up)
up = s3.create_multipart_upload(Bucket="boto", Key="copied-parts")["UploadId"]
first = s3.upload_part_copy(Bucket="boto", Key="copied-parts", UploadId=up, PartNumber=1, CopySource="boto/hand",
                            CopySourceRange="bytes=0-%d" % (6 * MIB - 1))["CopyPartResult"]["ETag"]
last = s3.upload_part_copy(Bucket="boto", Key="copied-parts", UploadId=up, PartNumber=2, CopySource="boto/hand",
                           CopySourceRange="bytes=%d-%d" % (6 * MIB, len(data) - 1))["CopyPartResult"]["ETag"]
s3.complete_multipart_upload(Bucket="boto", Key="copied-parts", UploadId=up,
                             MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": last}]})
assert s3.get_object(Bucket="boto", Key="copied-parts")["Body"].read() == data

# Presigned URLs of both signature versions, and the wrong secret.
import urllib.request
for version in ("s3v4", "s3"):
    url = client(signature_version=version, s3={"addressing_style": "path"}).generate_presigned_url(
        "get_object", Params={"Bucket": "boto", "Key": "k/é +"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == body
key = os.environ["AWS_ACCESS_KEY_ID"]
wrong = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], aws_access_key_id=key, aws_secret_access_key="wrong")
refused("SignatureDoesNotMatch", wrong.list_buckets)
wrong = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], aws_access_key_id="NOBODY", aws_secret_access_key="none")
refused("InvalidAccessKeyId", wrong.list_buckets)

refused("BucketNotEmpty", s3.delete_bucket, Bucket="boto")
refused("NotImplemented", s3.put_bucket_metrics_configuration, Bucket="boto", Id="all", MetricsConfiguration={"Id": "all"})
print("all passed")
