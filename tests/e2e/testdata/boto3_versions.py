"""Drives versioning, object lock and tagging with boto3, through a session and through resources. Prints "all passed" at the end."""
import datetime
import os
import uuid

import boto3
import botocore
from botocore.client import Config

CONFIG = Config(retries={"max_attempts": 1}, signature_version="s3v4", s3={"addressing_style": "path"})
s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], config=CONFIG)
resource = boto3.resource("s3", endpoint_url=os.environ["ENDPOINT"], config=CONFIG)
UTC = datetime.timezone.utc


def refused(status, code, call, **kwargs):
    try:
        call(**kwargs)
    except botocore.exceptions.ClientError as e:
        got = e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"]
        assert got == (status, code), f"want {status} {code}, got {got}: {e}"
        return e
    raise AssertionError(f"want {code}, got success")


def new_bucket(**kwargs):
    name = "versions-" + uuid.uuid4().hex[:12]
    s3.create_bucket(Bucket=name, **kwargs)
    return name


def enable(bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


def drop(bucket):
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
    for page in pages:
        rows = page.get("Versions", []) + page.get("DeleteMarkers", [])
        if rows:
            done = s3.delete_objects(Bucket=bucket, BypassGovernanceRetention=True,
                                     Delete={"Objects": [{"Key": r["Key"], "VersionId": r["VersionId"]} for r in rows]})
            assert "Errors" not in done, done["Errors"]
            assert len(done["Deleted"]) == len(rows)
    s3.delete_bucket(Bucket=bucket)


def body(**kwargs):
    return s3.get_object(**kwargs)["Body"].read()


def versioning():
    b = new_bucket()
    assert "Status" not in s3.get_bucket_versioning(Bucket=b)
    refused(403, "AccessDenied", s3.put_bucket_versioning, Bucket=b,
            VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"})
    s3.put_object(Bucket=b, Key="k", Body=b"null")
    enable(b)
    ids = [s3.put_object(Bucket=b, Key="k", Body=b"v%d" % i)["VersionId"] for i in range(5)]
    listed = s3.list_object_versions(Bucket=b)["Versions"]
    assert [v["VersionId"] for v in listed] == ids[::-1] + ["null"], listed
    assert [v["IsLatest"] for v in listed] == [True] + [False] * 5
    for i, v in enumerate(ids):
        assert body(Bucket=b, Key="k", VersionId=v) == b"v%d" % i
    gone = s3.delete_object(Bucket=b, Key="k")
    assert gone["DeleteMarker"] is True
    e = refused(404, "NoSuchKey", s3.get_object, Bucket=b, Key="k")
    assert e.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    e = refused(405, "MethodNotAllowed", s3.get_object, Bucket=b, Key="k", VersionId=gone["VersionId"])
    assert e.response["ResponseMetadata"]["HTTPHeaders"]["allow"] == "DELETE"
    refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket=b)
    back = s3.delete_object(Bucket=b, Key="k", VersionId=gone["VersionId"])
    assert back["DeleteMarker"] is True and back["VersionId"] == gone["VersionId"]
    assert body(Bucket=b, Key="k") == b"v4"
    restored = s3.copy_object(Bucket=b, Key="k", CopySource={"Bucket": b, "Key": "k", "VersionId": ids[0]})
    assert restored["CopySourceVersionId"] == ids[0] and body(Bucket=b, Key="k") == b"v0"
    mixed = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k"}, {"Key": "k", "VersionId": ids[1]}, {"Key": "none"}]})["Deleted"]
    assert mixed[0]["DeleteMarker"] and mixed[0]["DeleteMarkerVersionId"], mixed
    assert mixed[1]["VersionId"] == ids[1] and "DeleteMarker" not in mixed[1], mixed
    enable(b, "Suspended")
    assert "VersionId" not in s3.put_object(Bucket=b, Key="k", Body=b"null 2")  # S3 does not tell the null version when it is written
    assert s3.head_object(Bucket=b, Key="k")["VersionId"] == "null"
    assert s3.delete_object(Bucket=b, Key="k")["VersionId"] == "null"
    assert resource.ObjectVersion(b, "k", ids[2]).get()["Body"].read() == b"v2"
    drop(b)


def listing():
    b = new_bucket()
    enable(b)
    for key in ["a", "a/1", "a/2", "b c+%", "z"]:
        for n in range(3):
            s3.put_object(Bucket=b, Key=key, Body=b"%d" % n)
    s3.delete_object(Bucket=b, Key="z")
    whole = s3.list_object_versions(Bucket=b)
    for size in range(1, 8):
        rows, markers = [], []
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=b, PaginationConfig={"PageSize": size}):
            rows += page.get("Versions", [])
            markers += page.get("DeleteMarkers", [])
        assert [(r["Key"], r["VersionId"], r["IsLatest"]) for r in rows] == [(r["Key"], r["VersionId"], r["IsLatest"]) for r in whole["Versions"]], size
        assert len(markers) == 1 and markers[0]["IsLatest"]
    level = s3.list_object_versions(Bucket=b, Delimiter="/", Prefix="a")
    assert [p["Prefix"] for p in level["CommonPrefixes"]] == ["a/"] and len(level["Versions"]) == 3
    refused(400, "InvalidArgument", s3.list_object_versions, Bucket=b, VersionIdMarker=whole["Versions"][0]["VersionId"])
    assert {v.object_key for v in resource.Bucket(b).object_versions.filter(Prefix="a/")} == {"a/1", "a/2"}
    drop(b)


def conditions():
    if "IfMatchSize" not in s3.meta.service_model.operation_model("DeleteObject").input_shape.members:
        return  # an SDK from before conditional deletes
    b = new_bucket()
    enable(b)
    tag = s3.put_object(Bucket=b, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    refused(412, "PreconditionFailed", s3.put_object, Bucket=b, Key="k", IfNoneMatch="*")
    refused(412, "PreconditionFailed", s3.delete_object, Bucket=b, Key="k", IfMatch="badetag")
    refused(412, "PreconditionFailed", s3.delete_object, Bucket=b, Key="k", IfMatchSize=7)
    at = s3.head_object(Bucket=b, Key="k")["LastModified"]
    refused(412, "PreconditionFailed", s3.delete_object, Bucket=b, Key="k", IfMatchLastModifiedTime=at - datetime.timedelta(hours=1))
    s3.delete_object(Bucket=b, Key="k", IfMatch=tag, IfMatchSize=1, IfMatchLastModifiedTime=at)
    refused(404, "NoSuchKey", s3.delete_object, Bucket=b, Key="k", IfMatch="*")
    v = s3.put_object(Bucket=b, Key="k", Body=b"22", IfNoneMatch="*")["VersionId"]  # a marker is nothing
    refused(412, "PreconditionFailed", s3.delete_object, Bucket=b, Key="k", VersionId=v, IfMatch=tag)
    for wrong in [{"ETag": tag}, {"Size": 1}, {"LastModifiedTime": at - datetime.timedelta(hours=1)}]:
        errors = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", **wrong}]})["Errors"]
        assert errors[0]["Code"] == "PreconditionFailed", errors
    now = s3.head_object(Bucket=b, Key="k")
    right = {"ETag": now["ETag"], "Size": 2, "LastModifiedTime": now["LastModified"]}
    assert "Errors" not in s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", **right}]})
    drop(b)


def rule(mode="GOVERNANCE", **period):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, **period}}}


def lock_configuration():
    plain = new_bucket()
    refused(409, "InvalidBucketState", s3.put_object_lock_configuration, Bucket=plain, ObjectLockConfiguration=rule(Days=1))
    refused(404, "ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration, Bucket=plain)
    enable(plain)
    s3.put_object_lock_configuration(Bucket=plain, ObjectLockConfiguration=rule(Days=1))
    assert s3.get_object_lock_configuration(Bucket=plain)["ObjectLockConfiguration"] == rule(Days=1)
    drop(plain)
    b = new_bucket(ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket=b)["Status"] == "Enabled"
    s3.put_object_lock_configuration(Bucket=b, ObjectLockConfiguration=rule("COMPLIANCE", Years=1))
    assert s3.get_object_lock_configuration(Bucket=b)["ObjectLockConfiguration"] == rule("COMPLIANCE", Years=1)
    put = s3.put_object_lock_configuration
    refused(400, "MalformedXML", put, Bucket=b, ObjectLockConfiguration=rule(Days=1, Years=1))
    refused(400, "InvalidRetentionPeriod", put, Bucket=b, ObjectLockConfiguration=rule(Days=0))
    refused(400, "InvalidRetentionPeriod", put, Bucket=b, ObjectLockConfiguration=rule(Years=-1))
    refused(400, "MalformedXML", put, Bucket=b, ObjectLockConfiguration=rule("abc", Years=1))
    refused(400, "MalformedXML", put, Bucket=b, ObjectLockConfiguration=rule("governance", Years=1))
    refused(400, "MalformedXML", put, Bucket=b, ObjectLockConfiguration={**rule(Days=1), "ObjectLockEnabled": "Disabled"})
    refused(409, "InvalidBucketState", s3.put_bucket_versioning, Bucket=b, VersioningConfiguration={"Status": "Suspended"})
    drop(b)


def retention():
    b = new_bucket()
    s3.put_object(Bucket=b, Key="k", Body=b"x")
    keep = lambda mode, year: {"Mode": mode, "RetainUntilDate": datetime.datetime(year, 1, 1, tzinfo=UTC)}
    refused(400, "InvalidRequest", s3.put_object_retention, Bucket=b, Key="k", Retention=keep("GOVERNANCE", 2130))
    refused(400, "InvalidRequest", s3.get_object_retention, Bucket=b, Key="k")
    refused(400, "InvalidRequest", s3.put_object_legal_hold, Bucket=b, Key="k", LegalHold={"Status": "ON"})
    refused(400, "InvalidRequest", s3.get_object_legal_hold, Bucket=b, Key="k")
    drop(b)
    b = new_bucket(ObjectLockEnabledForBucket=True)
    v = s3.put_object(Bucket=b, Key="k", Body=b"x")["VersionId"]
    at = {"Bucket": b, "Key": "k", "VersionId": v}
    for mode in ["governance", "abc"]:
        refused(400, "MalformedXML", s3.put_object_retention, **at, Retention=keep(mode, 2130))
    s3.put_object_retention(**at, Retention=keep("GOVERNANCE", 2130))
    assert s3.get_object_retention(**at)["Retention"] == keep("GOVERNANCE", 2130)
    s3.put_object_retention(**at, Retention=keep("GOVERNANCE", 2131))
    refused(403, "AccessDenied", s3.put_object_retention, **at, Retention=keep("GOVERNANCE", 2130))
    refused(403, "AccessDenied", s3.put_object_retention, **at, Retention=keep("COMPLIANCE", 2131))
    s3.put_object_retention(**at, Retention=keep("GOVERNANCE", 2130), BypassGovernanceRetention=True)
    refused(403, "AccessDenied", s3.delete_object, **at)
    s3.put_object_legal_hold(**at, LegalHold={"Status": "ON"})
    refused(403, "AccessDenied", s3.delete_object, **at, BypassGovernanceRetention=True)
    refused(400, "MalformedXML", s3.put_object_legal_hold, **at, LegalHold={"Status": "abc"})
    head = s3.head_object(Bucket=b, Key="k")
    assert head["ObjectLockMode"] == "GOVERNANCE" and head["ObjectLockRetainUntilDate"] == keep("", 2130)["RetainUntilDate"]
    assert head["ObjectLockLegalHoldStatus"] == "ON"
    s3.put_object_legal_hold(**at, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**at)["LegalHold"] == {"Status": "OFF"}
    errors = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", "VersionId": v}]})["Errors"]
    assert errors[0]["Code"] == "AccessDenied" and errors[0]["VersionId"] == v, errors
    w = s3.put_object(Bucket=b, Key="k", Body=b"y", ChecksumAlgorithm="CRC32", ObjectLockMode="GOVERNANCE", ObjectLockLegalHoldStatus="OFF",
                      ObjectLockRetainUntilDate=datetime.datetime(2130, 1, 1, tzinfo=UTC))["VersionId"]
    refused(403, "AccessDenied", s3.delete_object, Bucket=b, Key="k", VersionId=w)
    up = s3.create_multipart_upload(Bucket=b, Key="m", ObjectLockMode="GOVERNANCE",
                                    ObjectLockRetainUntilDate=datetime.datetime(2130, 1, 1, tzinfo=UTC))["UploadId"]
    part = s3.upload_part(Bucket=b, Key="m", UploadId=up, PartNumber=1, Body=b"part", ChecksumAlgorithm="CRC32")
    done = s3.complete_multipart_upload(Bucket=b, Key="m", UploadId=up,
                                        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    refused(403, "AccessDenied", s3.delete_object, Bucket=b, Key="m", VersionId=done["VersionId"])
    drop(b)


def tagging():
    b = new_bucket()
    refused(404, "NoSuchTagSet", s3.get_bucket_tagging, Bucket=b)
    s3.put_bucket_tagging(Bucket=b, Tagging={"TagSet": [{"Key": "Hello", "Value": "World"}]})
    assert s3.get_bucket_tagging(Bucket=b)["TagSet"] == [{"Key": "Hello", "Value": "World"}]
    s3.delete_bucket_tagging(Bucket=b)
    refused(404, "NoSuchTagSet", s3.get_bucket_tagging, Bucket=b)
    s3.put_object(Bucket=b, Key="k", Body=b"x", Tagging="foo=bar&bar")
    assert s3.get_object_tagging(Bucket=b, Key="k")["TagSet"] == [{"Key": "bar", "Value": ""}, {"Key": "foo", "Value": "bar"}]
    assert s3.get_object(Bucket=b, Key="k")["TagCount"] == 2
    ten = [{"Key": str(i), "Value": str(i)} for i in range(10)]
    s3.put_object_tagging(Bucket=b, Key="k", Tagging={"TagSet": ten})
    assert s3.get_object_tagging(Bucket=b, Key="k")["TagSet"] == ten
    for bad in [ten + [{"Key": "x", "Value": ""}], [{"Key": "k" * 129, "Value": "v"}], [{"Key": "k", "Value": "v" * 257}], ten[:1] * 2]:
        refused(400, "InvalidTag", s3.put_object_tagging, Bucket=b, Key="k", Tagging={"TagSet": bad})
    s3.copy_object(Bucket=b, Key="c", CopySource={"Bucket": b, "Key": "k"})
    assert s3.get_object_tagging(Bucket=b, Key="c")["TagSet"] == ten
    s3.copy_object(Bucket=b, Key="c", CopySource={"Bucket": b, "Key": "k"}, Tagging="a=b", TaggingDirective="REPLACE")
    assert s3.get_object_tagging(Bucket=b, Key="c")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.delete_object_tagging(Bucket=b, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(Bucket=b, Key="k")["TagSet"] == []
    drop(b)


for run in [versioning, listing, conditions, lock_configuration, retention, tagging]:
    run()
    print(run.__name__, "passed")
print("all passed")
