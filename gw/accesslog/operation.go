package accesslog

import (
	"strings"

	"holdfast/gw/s3api"
)

// special are the operations whose resource in a log is not the upper-case form of their query parameter.
var special = map[s3api.Op]string{
	s3api.OpListBuckets:                      "REST.GET.SERVICE",
	s3api.OpListObjects:                      "REST.GET.BUCKET",
	s3api.OpListObjectsV2:                    "REST.GET.BUCKET",
	s3api.OpListObjectVersions:               "REST.GET.BUCKETVERSIONS",
	s3api.OpDeleteObjects:                    "REST.POST.MULTI_OBJECT_DELETE",
	s3api.OpPostObject:                       "REST.POST.OBJECT",
	s3api.OpCopyObject:                       "REST.COPY.OBJECT",
	s3api.OpUploadPart:                       "REST.PUT.PART",
	s3api.OpUploadPartCopy:                   "REST.COPY.PART",
	s3api.OpCreateMultipartUpload:            "REST.POST.UPLOADS",
	s3api.OpCompleteMultipartUpload:          "REST.POST.UPLOAD",
	s3api.OpAbortMultipartUpload:             "REST.DELETE.UPLOAD",
	s3api.OpListParts:                        "REST.GET.UPLOAD",
	s3api.OpListMultipartUploads:             "REST.GET.UPLOADS",
	s3api.OpGetBucketPolicy:                  "REST.GET.BUCKETPOLICY",
	s3api.OpPutBucketPolicy:                  "REST.PUT.BUCKETPOLICY",
	s3api.OpDeleteBucketPolicy:               "REST.DELETE.BUCKETPOLICY",
	s3api.OpGetBucketPolicyStatus:            "REST.GET.POLICY_STATUS",
	s3api.OpGetBucketLogging:                 "REST.GET.LOGGING_STATUS",
	s3api.OpPutBucketLogging:                 "REST.PUT.LOGGING_STATUS",
	s3api.OpGetBucketRequestPayment:          "REST.GET.REQUEST_PAYMENT",
	s3api.OpPutBucketRequestPayment:          "REST.PUT.REQUEST_PAYMENT",
	s3api.OpGetPublicAccessBlock:             "REST.GET.PUBLIC_ACCESS_BLOCK",
	s3api.OpPutPublicAccessBlock:             "REST.PUT.PUBLIC_ACCESS_BLOCK",
	s3api.OpDeletePublicAccessBlock:          "REST.DELETE.PUBLIC_ACCESS_BLOCK",
	s3api.OpGetBucketOwnershipControls:       "REST.GET.OWNERSHIP_CONTROLS",
	s3api.OpPutBucketOwnershipControls:       "REST.PUT.OWNERSHIP_CONTROLS",
	s3api.OpDeleteBucketOwnershipControls:    "REST.DELETE.OWNERSHIP_CONTROLS",
	s3api.OpGetObjectLockConfiguration:       "REST.GET.OBJECT_LOCK",
	s3api.OpPutObjectLockConfiguration:       "REST.PUT.OBJECT_LOCK",
	s3api.OpGetObjectRetention:               "REST.GET.OBJECT_LOCK_RETENTION",
	s3api.OpPutObjectRetention:               "REST.PUT.OBJECT_LOCK_RETENTION",
	s3api.OpGetObjectLegalHold:               "REST.GET.OBJECT_LOCK_LEGALHOLD",
	s3api.OpPutObjectLegalHold:               "REST.PUT.OBJECT_LOCK_LEGALHOLD",
	s3api.OpGetObjectTagging:                 "REST.GET.OBJECT_TAGGING",
	s3api.OpPutObjectTagging:                 "REST.PUT.OBJECT_TAGGING",
	s3api.OpDeleteObjectTagging:              "REST.DELETE.OBJECT_TAGGING",
	s3api.OpGetBucketAccelerateConfiguration: "REST.GET.ACCELERATE",
	s3api.OpPutBucketAccelerateConfiguration: "REST.PUT.ACCELERATE",
	s3api.OpPreflightBucket:                  "REST.OPTIONS.PREFLIGHT",
	s3api.OpPreflightObject:                  "REST.OPTIONS.PREFLIGHT",
}

// Operations that are not those of a request, as logs name them.
const (
	BatchDelete    = "BATCH.DELETE.OBJECT"    // of a key, by a DeleteObjects
	CopySource     = "REST.COPY.OBJECT_GET"   // reading the source of a CopyObject
	CopyPartSource = "REST.COPY.PART_GET"     // reading the source of an UploadPartCopy
	Expire         = "S3.EXPIRE.OBJECT"       // removing a version, by a lifecycle rule
	CreateMarker   = "S3.CREATE.DELETEMARKER" // by a lifecycle rule
	AbortUpload    = "S3.DELETE.UPLOAD"       // by a lifecycle rule
)

// Store is the requester of what lifecycle rules do.
const Store = "AmazonS3"

// Website names an operation of a visitor of a web site.
func Website(op s3api.Op) string { return "WEBSITE" + strings.TrimPrefix(Operation(op), "REST") }

// Operation names an operation as logs do: REST, the method, and the resource.
func Operation(op s3api.Op) string {
	if name, ok := special[op]; ok {
		return name
	}
	route := op.Route()
	resource := "BUCKET"
	if route.Key {
		resource = "OBJECT"
	}
	if name, _, _ := strings.Cut(route.Query, "&"); name != "" {
		resource = strings.ToUpper(name)
	}
	return "REST." + route.Method + "." + resource
}
