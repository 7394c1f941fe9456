package s3api

import (
	"slices"
	"strings"
)

// Op is an operation of the S3 API or of the management API on the same endpoint. The zero Op is no operation.
type Op uint8

// The operations, named as in the S3 API reference. Three families are ours or unnamed there: PostObject is the form upload,
// the Preflight ones are the CORS preflight, and the Ostor ones are the management requests (/?ostor-users and so on).
const (
	_ Op = iota

	// On the service.
	OpListBuckets
	OpOstorGetUsers
	OpOstorPutUsers
	OpOstorPostUsers
	OpOstorDeleteUsers
	OpOstorGetAccounts
	OpOstorPutAccounts
	OpOstorPostAccounts
	OpOstorDeleteAccounts
	OpOstorGetBuckets
	OpOstorPostBuckets
	OpOstorDeleteBuckets
	OpOstorGetExplain
	OpOstorGetLimits
	OpOstorPutLimits
	OpOstorDeleteLimits
	OpOstorGetQuotas
	OpOstorPutQuotas
	OpOstorDeleteQuotas
	OpOstorGetUsage
	OpOstorDeleteUsage
	OpPreflightService

	// On a bucket.
	OpHeadBucket
	OpCreateBucket
	OpDeleteBucket
	OpListObjects
	OpListObjectsV2
	OpListObjectVersions
	OpListMultipartUploads
	OpDeleteObjects
	OpGetBucketLocation
	OpGetBucketVersioning
	OpPutBucketVersioning
	OpGetBucketAcl
	OpPutBucketAcl
	OpGetBucketPolicy
	OpPutBucketPolicy
	OpDeleteBucketPolicy
	OpGetBucketPolicyStatus
	OpGetBucketCors
	OpPutBucketCors
	OpDeleteBucketCors
	OpGetBucketLifecycleConfiguration
	OpPutBucketLifecycleConfiguration
	OpDeleteBucketLifecycle
	OpGetBucketTagging
	OpPutBucketTagging
	OpDeleteBucketTagging
	OpGetObjectLockConfiguration
	OpPutObjectLockConfiguration
	OpGetBucketReplication
	OpPutBucketReplication
	OpDeleteBucketReplication
	OpGetBucketNotificationConfiguration
	OpPutBucketNotificationConfiguration
	OpGetBucketLogging
	OpPutBucketLogging
	OpGetBucketWebsite
	OpPutBucketWebsite
	OpDeleteBucketWebsite
	OpGetBucketRequestPayment
	OpPutBucketRequestPayment
	OpGetBucketAccelerateConfiguration
	OpPutBucketAccelerateConfiguration
	OpGetBucketEncryption
	OpPutBucketEncryption
	OpDeleteBucketEncryption
	OpGetPublicAccessBlock
	OpPutPublicAccessBlock
	OpDeletePublicAccessBlock
	OpGetBucketOwnershipControls
	OpPutBucketOwnershipControls
	OpDeleteBucketOwnershipControls
	OpListBucketInventoryConfigurations
	OpGetBucketInventoryConfiguration
	OpPutBucketInventoryConfiguration
	OpDeleteBucketInventoryConfiguration
	OpListBucketAnalyticsConfigurations
	OpGetBucketAnalyticsConfiguration
	OpPutBucketAnalyticsConfiguration
	OpDeleteBucketAnalyticsConfiguration
	OpListBucketMetricsConfigurations
	OpGetBucketMetricsConfiguration
	OpPutBucketMetricsConfiguration
	OpDeleteBucketMetricsConfiguration
	OpListBucketIntelligentTieringConfigurations
	OpGetBucketIntelligentTieringConfiguration
	OpPutBucketIntelligentTieringConfiguration
	OpDeleteBucketIntelligentTieringConfiguration
	OpCreateSession
	OpGetBucketAbac
	OpPutBucketAbac
	OpCreateBucketMetadataConfiguration
	OpGetBucketMetadataConfiguration
	OpDeleteBucketMetadataConfiguration
	OpCreateBucketMetadataTableConfiguration
	OpGetBucketMetadataTableConfiguration
	OpDeleteBucketMetadataTableConfiguration
	OpUpdateBucketMetadataInventoryTableConfiguration
	OpUpdateBucketMetadataJournalTableConfiguration
	OpWriteGetObjectResponse
	OpPostObject
	OpPreflightBucket

	// On an object.
	OpGetObject
	OpHeadObject
	OpPutObject
	OpCopyObject
	OpDeleteObject
	OpCreateMultipartUpload
	OpUploadPart
	OpUploadPartCopy
	OpCompleteMultipartUpload
	OpAbortMultipartUpload
	OpListParts
	OpGetObjectAttributes
	OpGetObjectAcl
	OpPutObjectAcl
	OpGetObjectTagging
	OpPutObjectTagging
	OpDeleteObjectTagging
	OpGetObjectLegalHold
	OpPutObjectLegalHold
	OpGetObjectRetention
	OpPutObjectRetention
	OpGetObjectTorrent
	OpRestoreObject
	OpSelectObjectContent
	OpRenameObject
	OpUpdateObjectEncryption
	OpPreflightObject
	opEnd
)

// String returns the operation's name as in the S3 API, such as "PutObject"; it is also a bounded metric label.
func (op Op) String() string {
	if op == 0 || op >= opEnd {
		return "Unknown"
	}
	return opTable[op].name
}

// Built reports whether the gateway answers the operation. The others are refused with NotImplemented, never with a success
// that did nothing.
func (op Op) Built() bool { return op < opEnd && opTable[op].built }

// Action returns the IAM action the caller needs for the operation on its bucket or object, such as "s3:PutObject"; versioned
// says that the request names a version, for which S3 has separate actions. It is "" where no action is needed
// (preflight) or where rights do not come from policies (management). Some requests need one right more, which
// depends on them: reading the source of a copy, and s3:GetObject beside s3:GetObjectAttributes.
func (op Op) Action(versioned bool) string {
	if op >= opEnd {
		return ""
	}
	if row := &opTable[op]; versioned && row.versionAction != "" {
		return row.versionAction
	}
	return opTable[op].action
}

// OnObject reports whether the operation is on an object (its target has a key).
func (op Op) OnObject() bool { return op != 0 && op < opEnd && opTable[op].on == onObject }

// Route is what a request for an operation looks like: the other side of [Match].
type Route struct {
	Method      string
	Bucket, Key bool     // what the target names
	Query       string   // raw
	Headers     []string // that must be there, in canonical form
}

// Route returns the least that makes a request one for the operation; the zero Route for no operation.
func (op Op) Route() Route {
	if op == 0 || op >= opEnd {
		return Route{}
	}
	row := &opTable[op]
	return Route{
		Method: row.method, Bucket: row.on != onService, Key: row.on == onObject,
		Query: strings.Join(row.query, "&"), Headers: slices.Clone(row.headers),
	}
}

// Management reports whether the operation belongs to the management API, open to system users alone.
func (op Op) Management() bool { return op >= OpOstorGetUsers && op <= OpOstorDeleteUsage }

// Preflight reports whether the operation is a question of a browser, which comes without credentials.
func (op Op) Preflight() bool {
	return op == OpPreflightService || op == OpPreflightBucket || op == OpPreflightObject
}

// Ops returns all operations. The slice is the caller's.
func Ops() []Op {
	ops := make([]Op, 0, opEnd-1)
	for op := Op(1); op < opEnd; op++ {
		ops = append(ops, op)
	}
	return ops
}
