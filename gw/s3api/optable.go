package s3api

// resource is the kind of thing a target names.
type resource uint8

const (
	onService resource = iota // neither bucket nor key
	onBucket
	onObject
	resourceEnd
)

// name returns the word S3 uses in the ResourceType element.
func (r resource) name() string { return [...]string{"SERVICE", "BUCKET", "OBJECT"}[r] }

// opRow is one row of the route table: a request matches when its method and resource are these, and it has every query key and
// header listed. A query entry "k=v" wants that value.
type opRow struct {
	name          string
	method        string
	on            resource
	query         []string
	headers       []string // canonical form
	action        string   // IAM action
	versionAction string   // IAM action when the request names a version, where S3 has a separate one
	built         bool     // else refused
}

// opTable is the one table of operations, routes and refusals. Order does not matter: [Match] prefers the row with more
// conditions.
var opTable = [opEnd]opRow{
	// On the service.
	OpListBuckets:         {name: "ListBuckets", method: "GET", on: onService, action: "s3:ListAllMyBuckets", built: true},
	OpOstorGetUsers:       {name: "OstorGetUsers", method: "GET", on: onService, query: []string{"ostor-users"}, built: true},
	OpOstorPutUsers:       {name: "OstorPutUsers", method: "PUT", on: onService, query: []string{"ostor-users"}, built: true},
	OpOstorPostUsers:      {name: "OstorPostUsers", method: "POST", on: onService, query: []string{"ostor-users"}, built: true},
	OpOstorDeleteUsers:    {name: "OstorDeleteUsers", method: "DELETE", on: onService, query: []string{"ostor-users"}, built: true},
	OpOstorGetAccounts:    {name: "OstorGetAccounts", method: "GET", on: onService, query: []string{"ostor-accounts"}, built: true},
	OpOstorPutAccounts:    {name: "OstorPutAccounts", method: "PUT", on: onService, query: []string{"ostor-accounts"}, built: true},
	OpOstorPostAccounts:   {name: "OstorPostAccounts", method: "POST", on: onService, query: []string{"ostor-accounts"}, built: true},
	OpOstorDeleteAccounts: {name: "OstorDeleteAccounts", method: "DELETE", on: onService, query: []string{"ostor-accounts"}, built: true},
	OpOstorGetBuckets:     {name: "OstorGetBuckets", method: "GET", on: onService, query: []string{"ostor-buckets"}, built: true},
	OpOstorPostBuckets:    {name: "OstorPostBuckets", method: "POST", on: onService, query: []string{"ostor-buckets"}, built: true},
	OpOstorDeleteBuckets:  {name: "OstorDeleteBuckets", method: "DELETE", on: onService, query: []string{"ostor-buckets"}, built: true},
	OpOstorGetExplain:     {name: "OstorGetExplain", method: "GET", on: onService, query: []string{"ostor-explain"}, built: true},
	OpOstorGetLimits:      {name: "OstorGetLimits", method: "GET", on: onService, query: []string{"ostor-limits"}, built: true},
	OpOstorPutLimits:      {name: "OstorPutLimits", method: "PUT", on: onService, query: []string{"ostor-limits"}, built: true},
	OpOstorDeleteLimits:   {name: "OstorDeleteLimits", method: "DELETE", on: onService, query: []string{"ostor-limits"}, built: true},
	OpOstorGetQuotas:      {name: "OstorGetQuotas", method: "GET", on: onService, query: []string{"ostor-quotas"}, built: true},
	OpOstorPutQuotas:      {name: "OstorPutQuotas", method: "PUT", on: onService, query: []string{"ostor-quotas"}, built: true},
	OpOstorDeleteQuotas:   {name: "OstorDeleteQuotas", method: "DELETE", on: onService, query: []string{"ostor-quotas"}, built: true},
	OpOstorGetUsage:       {name: "OstorGetUsage", method: "GET", on: onService, query: []string{"ostor-usage"}, built: true},
	OpOstorDeleteUsage:    {name: "OstorDeleteUsage", method: "DELETE", on: onService, query: []string{"ostor-usage"}, built: true},
	OpPreflightService:    {name: "PreflightService", method: "OPTIONS", on: onService, built: true},

	// On a bucket.
	OpHeadBucket:   {name: "HeadBucket", method: "HEAD", on: onBucket, action: "s3:ListBucket", built: true},
	OpCreateBucket: {name: "CreateBucket", method: "PUT", on: onBucket, action: "s3:CreateBucket", built: true},
	OpDeleteBucket: {name: "DeleteBucket", method: "DELETE", on: onBucket, action: "s3:DeleteBucket", built: true},
	OpListObjects:  {name: "ListObjects", method: "GET", on: onBucket, action: "s3:ListBucket", built: true},
	OpListObjectsV2: {
		name: "ListObjectsV2", method: "GET", on: onBucket, query: []string{"list-type=2"},
		action: "s3:ListBucket", built: true,
	},
	OpListObjectVersions: {
		name: "ListObjectVersions", method: "GET", on: onBucket, query: []string{"versions"},
		action: "s3:ListBucketVersions", built: true,
	},
	OpListMultipartUploads: {
		name: "ListMultipartUploads", method: "GET", on: onBucket, query: []string{"uploads"},
		action: "s3:ListBucketMultipartUploads", built: true,
	},
	OpDeleteObjects: {
		name: "DeleteObjects", method: "POST", on: onBucket, query: []string{"delete"},
		action: "s3:DeleteObject", built: true,
	},
	OpGetBucketLocation: {
		name: "GetBucketLocation", method: "GET", on: onBucket, query: []string{"location"},
		action: "s3:GetBucketLocation", built: true,
	},
	OpGetBucketVersioning: {
		name: "GetBucketVersioning", method: "GET", on: onBucket, query: []string{"versioning"},
		action: "s3:GetBucketVersioning", built: true,
	},
	OpPutBucketVersioning: {
		name: "PutBucketVersioning", method: "PUT", on: onBucket, query: []string{"versioning"},
		action: "s3:PutBucketVersioning", built: true,
	},
	OpGetBucketAcl: {
		name: "GetBucketAcl", method: "GET", on: onBucket, query: []string{"acl"},
		action: "s3:GetBucketAcl", built: true,
	},
	OpPutBucketAcl: {
		name: "PutBucketAcl", method: "PUT", on: onBucket, query: []string{"acl"},
		action: "s3:PutBucketAcl", built: true,
	},
	OpGetBucketPolicy: {
		name: "GetBucketPolicy", method: "GET", on: onBucket, query: []string{"policy"},
		action: "s3:GetBucketPolicy", built: true,
	},
	OpPutBucketPolicy: {
		name: "PutBucketPolicy", method: "PUT", on: onBucket, query: []string{"policy"},
		action: "s3:PutBucketPolicy", built: true,
	},
	OpDeleteBucketPolicy: {
		name: "DeleteBucketPolicy", method: "DELETE", on: onBucket, query: []string{"policy"},
		action: "s3:DeleteBucketPolicy", built: true,
	},
	OpGetBucketPolicyStatus: {
		name: "GetBucketPolicyStatus", method: "GET", on: onBucket, query: []string{"policyStatus"},
		action: "s3:GetBucketPolicyStatus", built: true,
	},
	OpGetBucketCors: {
		name: "GetBucketCors", method: "GET", on: onBucket, query: []string{"cors"},
		action: "s3:GetBucketCORS", built: true,
	},
	OpPutBucketCors: {
		name: "PutBucketCors", method: "PUT", on: onBucket, query: []string{"cors"},
		action: "s3:PutBucketCORS", built: true,
	},
	OpDeleteBucketCors: {
		name: "DeleteBucketCors", method: "DELETE", on: onBucket, query: []string{"cors"},
		action: "s3:PutBucketCORS", built: true,
	},
	OpGetBucketLifecycleConfiguration: {
		name: "GetBucketLifecycleConfiguration", method: "GET", on: onBucket, query: []string{"lifecycle"},
		action: "s3:GetLifecycleConfiguration", built: true,
	},
	OpPutBucketLifecycleConfiguration: {
		name: "PutBucketLifecycleConfiguration", method: "PUT", on: onBucket, query: []string{"lifecycle"},
		action: "s3:PutLifecycleConfiguration", built: true,
	},
	OpDeleteBucketLifecycle: {
		name: "DeleteBucketLifecycle", method: "DELETE", on: onBucket, query: []string{"lifecycle"},
		action: "s3:PutLifecycleConfiguration", built: true,
	},
	OpGetBucketTagging: {
		name: "GetBucketTagging", method: "GET", on: onBucket, query: []string{"tagging"},
		action: "s3:GetBucketTagging", built: true,
	},
	OpPutBucketTagging: {
		name: "PutBucketTagging", method: "PUT", on: onBucket, query: []string{"tagging"},
		action: "s3:PutBucketTagging", built: true,
	},
	OpDeleteBucketTagging: {
		name: "DeleteBucketTagging", method: "DELETE", on: onBucket, query: []string{"tagging"},
		action: "s3:PutBucketTagging", built: true,
	},
	OpGetObjectLockConfiguration: {
		name: "GetObjectLockConfiguration", method: "GET", on: onBucket, query: []string{"object-lock"},
		action: "s3:GetBucketObjectLockConfiguration", built: true,
	},
	OpPutObjectLockConfiguration: {
		name: "PutObjectLockConfiguration", method: "PUT", on: onBucket, query: []string{"object-lock"},
		action: "s3:PutBucketObjectLockConfiguration", built: true,
	},
	OpGetBucketReplication: {
		name: "GetBucketReplication", method: "GET", on: onBucket, query: []string{"replication"},
		action: "s3:GetReplicationConfiguration", built: true,
	},
	OpPutBucketReplication: {
		name: "PutBucketReplication", method: "PUT", on: onBucket, query: []string{"replication"},
		action: "s3:PutReplicationConfiguration", built: true,
	},
	OpDeleteBucketReplication: {
		name: "DeleteBucketReplication", method: "DELETE", on: onBucket, query: []string{"replication"},
		action: "s3:PutReplicationConfiguration", built: true,
	},
	OpGetBucketNotificationConfiguration: {
		name: "GetBucketNotificationConfiguration", method: "GET", on: onBucket, query: []string{"notification"},
		action: "s3:GetBucketNotification", built: true,
	},
	OpPutBucketNotificationConfiguration: {
		name: "PutBucketNotificationConfiguration", method: "PUT", on: onBucket, query: []string{"notification"},
		action: "s3:PutBucketNotification", built: true,
	},
	OpGetBucketLogging: {
		name: "GetBucketLogging", method: "GET", on: onBucket, query: []string{"logging"},
		action: "s3:GetBucketLogging", built: true,
	},
	OpPutBucketLogging: {
		name: "PutBucketLogging", method: "PUT", on: onBucket, query: []string{"logging"},
		action: "s3:PutBucketLogging", built: true,
	},
	OpGetBucketWebsite: {
		name: "GetBucketWebsite", method: "GET", on: onBucket, query: []string{"website"},
		action: "s3:GetBucketWebsite", built: true,
	},
	OpPutBucketWebsite: {
		name: "PutBucketWebsite", method: "PUT", on: onBucket, query: []string{"website"},
		action: "s3:PutBucketWebsite", built: true,
	},
	OpDeleteBucketWebsite: {
		name: "DeleteBucketWebsite", method: "DELETE", on: onBucket, query: []string{"website"},
		action: "s3:DeleteBucketWebsite", built: true,
	},
	OpGetBucketRequestPayment: {
		name: "GetBucketRequestPayment", method: "GET", on: onBucket, query: []string{"requestPayment"},
		action: "s3:GetBucketRequestPayment", built: true,
	},
	OpPutBucketRequestPayment: {
		name: "PutBucketRequestPayment", method: "PUT", on: onBucket, query: []string{"requestPayment"},
		action: "s3:PutBucketRequestPayment", built: true,
	},
	OpGetBucketAccelerateConfiguration: {
		name: "GetBucketAccelerateConfiguration", method: "GET", on: onBucket, query: []string{"accelerate"},
		action: "s3:GetAccelerateConfiguration", built: true,
	},
	OpPutBucketAccelerateConfiguration: {
		name: "PutBucketAccelerateConfiguration", method: "PUT", on: onBucket, query: []string{"accelerate"},
		action: "s3:PutAccelerateConfiguration", built: true,
	},
	OpGetBucketEncryption: {
		name: "GetBucketEncryption", method: "GET", on: onBucket, query: []string{"encryption"},
		action: "s3:GetEncryptionConfiguration", built: true,
	},
	OpPutBucketEncryption: {
		name: "PutBucketEncryption", method: "PUT", on: onBucket, query: []string{"encryption"},
		action: "s3:PutEncryptionConfiguration", built: true,
	},
	OpDeleteBucketEncryption: {
		name: "DeleteBucketEncryption", method: "DELETE", on: onBucket, query: []string{"encryption"},
		action: "s3:PutEncryptionConfiguration", built: true,
	},
	OpGetPublicAccessBlock: {
		name: "GetPublicAccessBlock", method: "GET", on: onBucket, query: []string{"publicAccessBlock"},
		action: "s3:GetBucketPublicAccessBlock", built: true,
	},
	OpPutPublicAccessBlock: {
		name: "PutPublicAccessBlock", method: "PUT", on: onBucket, query: []string{"publicAccessBlock"},
		action: "s3:PutBucketPublicAccessBlock", built: true,
	},
	OpDeletePublicAccessBlock: {
		name: "DeletePublicAccessBlock", method: "DELETE", on: onBucket, query: []string{"publicAccessBlock"},
		action: "s3:PutBucketPublicAccessBlock", built: true,
	},
	OpGetBucketOwnershipControls: {
		name: "GetBucketOwnershipControls", method: "GET", on: onBucket, query: []string{"ownershipControls"},
		action: "s3:GetBucketOwnershipControls", built: true,
	},
	OpPutBucketOwnershipControls: {
		name: "PutBucketOwnershipControls", method: "PUT", on: onBucket, query: []string{"ownershipControls"},
		action: "s3:PutBucketOwnershipControls", built: true,
	},
	OpDeleteBucketOwnershipControls: {
		name: "DeleteBucketOwnershipControls", method: "DELETE", on: onBucket, query: []string{"ownershipControls"},
		action: "s3:PutBucketOwnershipControls", built: true,
	},
	OpListBucketInventoryConfigurations: {
		name: "ListBucketInventoryConfigurations", method: "GET", on: onBucket, query: []string{"inventory"},
		action: "s3:GetInventoryConfiguration", built: true,
	},
	OpGetBucketInventoryConfiguration: {
		name: "GetBucketInventoryConfiguration", method: "GET", on: onBucket, query: []string{"inventory", "id"},
		action: "s3:GetInventoryConfiguration", built: true,
	},
	OpPutBucketInventoryConfiguration: {
		name: "PutBucketInventoryConfiguration", method: "PUT", on: onBucket, query: []string{"inventory"},
		action: "s3:PutInventoryConfiguration",
	},
	OpDeleteBucketInventoryConfiguration: {
		name: "DeleteBucketInventoryConfiguration", method: "DELETE", on: onBucket, query: []string{"inventory"},
		action: "s3:PutInventoryConfiguration", built: true,
	},
	OpListBucketAnalyticsConfigurations: {
		name: "ListBucketAnalyticsConfigurations", method: "GET", on: onBucket, query: []string{"analytics"},
		action: "s3:GetAnalyticsConfiguration", built: true,
	},
	OpGetBucketAnalyticsConfiguration: {
		name: "GetBucketAnalyticsConfiguration", method: "GET", on: onBucket, query: []string{"analytics", "id"},
		action: "s3:GetAnalyticsConfiguration", built: true,
	},
	OpPutBucketAnalyticsConfiguration: {
		name: "PutBucketAnalyticsConfiguration", method: "PUT", on: onBucket, query: []string{"analytics"},
		action: "s3:PutAnalyticsConfiguration",
	},
	OpDeleteBucketAnalyticsConfiguration: {
		name: "DeleteBucketAnalyticsConfiguration", method: "DELETE", on: onBucket, query: []string{"analytics"},
		action: "s3:PutAnalyticsConfiguration", built: true,
	},
	OpListBucketMetricsConfigurations: {
		name: "ListBucketMetricsConfigurations", method: "GET", on: onBucket, query: []string{"metrics"},
		action: "s3:GetMetricsConfiguration", built: true,
	},
	OpGetBucketMetricsConfiguration: {
		name: "GetBucketMetricsConfiguration", method: "GET", on: onBucket, query: []string{"metrics", "id"},
		action: "s3:GetMetricsConfiguration", built: true,
	},
	OpPutBucketMetricsConfiguration: {
		name: "PutBucketMetricsConfiguration", method: "PUT", on: onBucket, query: []string{"metrics"},
		action: "s3:PutMetricsConfiguration",
	},
	OpDeleteBucketMetricsConfiguration: {
		name: "DeleteBucketMetricsConfiguration", method: "DELETE", on: onBucket, query: []string{"metrics"},
		action: "s3:PutMetricsConfiguration", built: true,
	},
	OpListBucketIntelligentTieringConfigurations: {
		name: "ListBucketIntelligentTieringConfigurations", method: "GET", on: onBucket, query: []string{"intelligent-tiering"},
		action: "s3:GetIntelligentTieringConfiguration", built: true,
	},
	OpGetBucketIntelligentTieringConfiguration: {
		name: "GetBucketIntelligentTieringConfiguration", method: "GET", on: onBucket, query: []string{"intelligent-tiering", "id"},
		action: "s3:GetIntelligentTieringConfiguration", built: true,
	},
	OpPutBucketIntelligentTieringConfiguration: {
		name: "PutBucketIntelligentTieringConfiguration", method: "PUT", on: onBucket, query: []string{"intelligent-tiering"},
		action: "s3:PutIntelligentTieringConfiguration",
	},
	OpDeleteBucketIntelligentTieringConfiguration: {
		name: "DeleteBucketIntelligentTieringConfiguration", method: "DELETE", on: onBucket, query: []string{"intelligent-tiering"},
		action: "s3:PutIntelligentTieringConfiguration", built: true,
	},
	OpCreateSession: {
		name: "CreateSession", method: "GET", on: onBucket, query: []string{"session"},
		action: "s3express:CreateSession",
	},
	OpGetBucketAbac: {
		name: "GetBucketAbac", method: "GET", on: onBucket, query: []string{"abac"},
		action: "s3:GetBucketAbac",
	},
	OpPutBucketAbac: {
		name: "PutBucketAbac", method: "PUT", on: onBucket, query: []string{"abac"},
		action: "s3:PutBucketAbac",
	},
	OpCreateBucketMetadataConfiguration: {
		name: "CreateBucketMetadataConfiguration", method: "POST", on: onBucket, query: []string{"metadataConfiguration"},
		action: "s3:CreateBucketMetadataTableConfiguration",
	},
	OpGetBucketMetadataConfiguration: {
		name: "GetBucketMetadataConfiguration", method: "GET", on: onBucket, query: []string{"metadataConfiguration"},
		action: "s3:GetBucketMetadataTableConfiguration",
	},
	OpDeleteBucketMetadataConfiguration: {
		name: "DeleteBucketMetadataConfiguration", method: "DELETE", on: onBucket, query: []string{"metadataConfiguration"},
		action: "s3:DeleteBucketMetadataTableConfiguration",
	},
	OpCreateBucketMetadataTableConfiguration: {
		name: "CreateBucketMetadataTableConfiguration", method: "POST", on: onBucket, query: []string{"metadataTable"},
		action: "s3:CreateBucketMetadataTableConfiguration",
	},
	OpGetBucketMetadataTableConfiguration: {
		name: "GetBucketMetadataTableConfiguration", method: "GET", on: onBucket, query: []string{"metadataTable"},
		action: "s3:GetBucketMetadataTableConfiguration",
	},
	OpDeleteBucketMetadataTableConfiguration: {
		name: "DeleteBucketMetadataTableConfiguration", method: "DELETE", on: onBucket, query: []string{"metadataTable"},
		action: "s3:DeleteBucketMetadataTableConfiguration",
	},
	OpUpdateBucketMetadataInventoryTableConfiguration: {
		name: "UpdateBucketMetadataInventoryTableConfiguration", method: "PUT", on: onBucket, query: []string{"metadataInventoryTable"},
		action: "s3:UpdateBucketMetadataInventoryTableConfiguration",
	},
	OpUpdateBucketMetadataJournalTableConfiguration: {
		name: "UpdateBucketMetadataJournalTableConfiguration", method: "PUT", on: onBucket, query: []string{"metadataJournalTable"},
		action: "s3:UpdateBucketMetadataJournalTableConfiguration",
	},
	OpWriteGetObjectResponse: {
		name: "WriteGetObjectResponse", method: "POST", on: onBucket, headers: []string{"X-Amz-Request-Route", "X-Amz-Request-Token"},
		action: "s3-object-lambda:WriteGetObjectResponse",
	},
	OpPostObject:      {name: "PostObject", method: "POST", on: onBucket, action: "s3:PutObject", built: true},
	OpPreflightBucket: {name: "PreflightBucket", method: "OPTIONS", on: onBucket, built: true},

	// On an object.
	OpGetObject: {
		name: "GetObject", method: "GET", on: onObject,
		action: "s3:GetObject", versionAction: "s3:GetObjectVersion", built: true,
	},
	OpHeadObject: {
		name: "HeadObject", method: "HEAD", on: onObject,
		action: "s3:GetObject", versionAction: "s3:GetObjectVersion", built: true,
	},
	OpPutObject: {name: "PutObject", method: "PUT", on: onObject, action: "s3:PutObject", built: true},
	OpCopyObject: {
		name: "CopyObject", method: "PUT", on: onObject, headers: []string{"X-Amz-Copy-Source"},
		action: "s3:PutObject", built: true,
	},
	OpDeleteObject: {
		name: "DeleteObject", method: "DELETE", on: onObject,
		action: "s3:DeleteObject", versionAction: "s3:DeleteObjectVersion", built: true,
	},
	OpCreateMultipartUpload: {
		name: "CreateMultipartUpload", method: "POST", on: onObject, query: []string{"uploads"},
		action: "s3:PutObject", built: true,
	},
	OpUploadPart: {
		name: "UploadPart", method: "PUT", on: onObject, query: []string{"uploadId", "partNumber"},
		action: "s3:PutObject", built: true,
	},
	OpUploadPartCopy: {
		name: "UploadPartCopy", method: "PUT", on: onObject, query: []string{"uploadId", "partNumber"}, headers: []string{"X-Amz-Copy-Source"},
		action: "s3:PutObject", built: true,
	},
	OpCompleteMultipartUpload: {
		name: "CompleteMultipartUpload", method: "POST", on: onObject, query: []string{"uploadId"},
		action: "s3:PutObject", built: true,
	},
	OpAbortMultipartUpload: {
		name: "AbortMultipartUpload", method: "DELETE", on: onObject, query: []string{"uploadId"},
		action: "s3:AbortMultipartUpload", built: true,
	},
	OpListParts: {
		name: "ListParts", method: "GET", on: onObject, query: []string{"uploadId"},
		action: "s3:ListMultipartUploadParts", built: true,
	},
	OpGetObjectAttributes: {
		name: "GetObjectAttributes", method: "GET", on: onObject, query: []string{"attributes"},
		action: "s3:GetObjectAttributes", versionAction: "s3:GetObjectVersionAttributes", built: true,
	},
	OpGetObjectAcl: {
		name: "GetObjectAcl", method: "GET", on: onObject, query: []string{"acl"},
		action: "s3:GetObjectAcl", versionAction: "s3:GetObjectVersionAcl", built: true,
	},
	OpPutObjectAcl: {
		name: "PutObjectAcl", method: "PUT", on: onObject, query: []string{"acl"},
		action: "s3:PutObjectAcl", versionAction: "s3:PutObjectVersionAcl", built: true,
	},
	OpGetObjectTagging: {
		name: "GetObjectTagging", method: "GET", on: onObject, query: []string{"tagging"},
		action: "s3:GetObjectTagging", versionAction: "s3:GetObjectVersionTagging", built: true,
	},
	OpPutObjectTagging: {
		name: "PutObjectTagging", method: "PUT", on: onObject, query: []string{"tagging"},
		action: "s3:PutObjectTagging", versionAction: "s3:PutObjectVersionTagging", built: true,
	},
	OpDeleteObjectTagging: {
		name: "DeleteObjectTagging", method: "DELETE", on: onObject, query: []string{"tagging"},
		action: "s3:DeleteObjectTagging", versionAction: "s3:DeleteObjectVersionTagging", built: true,
	},
	OpGetObjectLegalHold: {
		name: "GetObjectLegalHold", method: "GET", on: onObject, query: []string{"legal-hold"},
		action: "s3:GetObjectLegalHold", built: true,
	},
	OpPutObjectLegalHold: {
		name: "PutObjectLegalHold", method: "PUT", on: onObject, query: []string{"legal-hold"},
		action: "s3:PutObjectLegalHold", built: true,
	},
	OpGetObjectRetention: {
		name: "GetObjectRetention", method: "GET", on: onObject, query: []string{"retention"},
		action: "s3:GetObjectRetention", built: true,
	},
	OpPutObjectRetention: {
		name: "PutObjectRetention", method: "PUT", on: onObject, query: []string{"retention"},
		action: "s3:PutObjectRetention", built: true,
	},
	OpGetObjectTorrent: {
		name: "GetObjectTorrent", method: "GET", on: onObject, query: []string{"torrent"},
		action: "s3:GetObjectTorrent", versionAction: "s3:GetObjectVersionTorrent", built: true,
	},
	OpRestoreObject: {
		name: "RestoreObject", method: "POST", on: onObject, query: []string{"restore"},
		action: "s3:RestoreObject", built: true,
	},
	OpSelectObjectContent: {
		name: "SelectObjectContent", method: "POST", on: onObject, query: []string{"select"},
		action: "s3:GetObject",
	},
	OpRenameObject: {
		name: "RenameObject", method: "PUT", on: onObject, query: []string{"renameObject"},
		action: "s3:RenameObject",
	},
	OpUpdateObjectEncryption: {
		name: "UpdateObjectEncryption", method: "PUT", on: onObject, query: []string{"encryption"},
		action: "s3:UpdateObjectEncryption",
	},
	OpPreflightObject: {name: "PreflightObject", method: "OPTIONS", on: onObject, built: true},
}
