package policy

import "strings"

// kind is the kind of resource that an action is on.
type kind uint8

const (
	onNothing kind = iota // the whole service: no bucket policy can grant it
	onBucket
	onObject
)

// action is an S3 action: its name behind "s3:", what it is on, and which of the condition keys that only some actions have it has.
type action struct {
	name string
	on   kind
	keys keyGroup
}

// actions are the S3 actions on buckets and objects, from the Service Authorization Reference for Amazon S3, and those on the service that
// the gateway asks for. A policy that names another is refused.
var actions = [...]action{
	{"AbortMultipartUpload", onObject, 0},
	{"AllowVendedLogDeliveryForResource", onBucket, 0},
	{"BypassGovernanceRetention", onObject, groupACL | groupRequestTags | groupPut | groupClass},
	{"CreateBucket", onBucket, groupACL | groupCreate | groupOwnership},
	{"CreateBucketMetadataTableConfiguration", onBucket, 0},
	{"DeleteBucket", onBucket, 0},
	{"DeleteBucketMetadataTableConfiguration", onBucket, 0},
	{"DeleteBucketPolicy", onBucket, 0},
	{"DeleteBucketWebsite", onBucket, 0},
	{"DeleteObject", onObject, groupIfMatch},
	{"DeleteObjectAnnotation", onObject, groupExistingTags},
	{"DeleteObjectTagging", onObject, groupExistingTags},
	{"DeleteObjectVersion", onObject, groupVersion},
	{"DeleteObjectVersionAnnotation", onObject, groupExistingTags | groupVersion},
	{"DeleteObjectVersionTagging", onObject, groupExistingTags | groupVersion},
	{"GetAccelerateConfiguration", onBucket, 0},
	{"GetAnalyticsConfiguration", onBucket, 0},
	{"GetBucketAbac", onBucket, 0},
	{"GetBucketAcl", onBucket, 0},
	{"GetBucketCORS", onBucket, 0},
	{"GetBucketLocation", onBucket, 0},
	{"GetBucketLogging", onBucket, 0},
	{"GetBucketMetadataTableConfiguration", onBucket, 0},
	{"GetBucketNotification", onBucket, 0},
	{"GetBucketObjectLockConfiguration", onBucket, 0},
	{"GetBucketOwnershipControls", onBucket, 0},
	{"GetBucketPolicy", onBucket, 0},
	{"GetBucketPolicyStatus", onBucket, 0},
	{"GetBucketPublicAccessBlock", onBucket, 0},
	{"GetBucketRequestPayment", onBucket, 0},
	{"GetBucketTagging", onBucket, 0},
	{"GetBucketVersioning", onBucket, 0},
	{"GetBucketWebsite", onBucket, 0},
	{"GetEncryptionConfiguration", onBucket, 0},
	{"GetIntelligentTieringConfiguration", onBucket, 0},
	{"GetInventoryConfiguration", onBucket, 0},
	{"GetLifecycleConfiguration", onBucket, 0},
	{"GetMetricsConfiguration", onBucket, 0},
	{"GetObject", onObject, groupExistingTags},
	{"GetObjectAcl", onObject, groupExistingTags},
	{"GetObjectAnnotation", onObject, groupExistingTags},
	{"GetObjectAttributes", onObject, groupExistingTags | groupBlindTags},
	{"GetObjectLegalHold", onObject, 0},
	{"GetObjectRetention", onObject, 0},
	{"GetObjectTagging", onObject, groupExistingTags},
	{"GetObjectTorrent", onObject, 0},
	{"GetObjectVersion", onObject, groupExistingTags | groupVersion},
	{"GetObjectVersionAcl", onObject, groupExistingTags | groupVersion},
	{"GetObjectVersionAnnotation", onObject, groupExistingTags | groupVersion},
	{"GetObjectVersionAttributes", onObject, groupExistingTags | groupVersion | groupBlindTags},
	{"GetObjectVersionForReplication", onObject, 0},
	{"GetObjectVersionTagging", onObject, groupExistingTags | groupVersion},
	{"GetObjectVersionTorrent", onObject, groupVersion},
	{"GetReplicationConfiguration", onBucket, 0},
	{"InitiateReplication", onObject, 0},
	{"ListAllMyBuckets", onNothing, 0},
	{"ListBucket", onBucket, groupList},
	{"ListBucketMultipartUploads", onBucket, 0},
	{"ListBucketVersions", onBucket, groupList},
	{"ListMultipartUploadParts", onObject, 0},
	{"ListObjectAnnotations", onObject, groupExistingTags},
	{"ListObjectVersionAnnotations", onObject, groupExistingTags | groupVersion},
	{"ListTagsForResource", onBucket, 0},
	{"ObjectOwnerOverrideToBucketOwner", onObject, 0},
	{"PauseReplication", onBucket, 0},
	{"PutAccelerateConfiguration", onBucket, 0},
	{"PutAnalyticsConfiguration", onBucket, 0},
	{"PutBucketAbac", onBucket, 0},
	{"PutBucketAcl", onBucket, groupACL},
	{"PutBucketCORS", onBucket, 0},
	{"PutBucketLogging", onBucket, 0},
	{"PutBucketNotification", onBucket, 0},
	{"PutBucketObjectLockConfiguration", onBucket, 0},
	{"PutBucketOwnershipControls", onBucket, groupOwnership},
	{"PutBucketPolicy", onBucket, 0},
	{"PutBucketPublicAccessBlock", onBucket, 0},
	{"PutBucketRequestPayment", onBucket, 0},
	{"PutBucketTagging", onBucket, 0},
	{"PutBucketVersioning", onBucket, 0},
	{"PutBucketWebsite", onBucket, 0},
	{"PutEncryptionConfiguration", onBucket, 0},
	{"PutIntelligentTieringConfiguration", onBucket, 0},
	{"PutInventoryConfiguration", onBucket, 0},
	{"PutLifecycleConfiguration", onBucket, 0},
	{"PutMetricsConfiguration", onBucket, 0},
	{"PutObject", onObject, groupACL | groupRequestTags | groupPut | groupClass | groupSSE | groupIfMatch | groupIfNone | groupLock | groupHold},
	{"PutObjectAcl", onObject, groupExistingTags | groupACL | groupClass},
	{"PutObjectAnnotation", onObject, groupExistingTags},
	{"PutObjectLegalHold", onObject, groupHold},
	{"PutObjectRetention", onObject, groupLock},
	{"PutObjectTagging", onObject, groupExistingTags | groupRequestTags},
	{"PutObjectVersionAcl", onObject, groupExistingTags | groupACL | groupClass | groupVersion},
	{"PutObjectVersionAnnotation", onObject, groupExistingTags | groupVersion},
	{"PutObjectVersionTagging", onObject, groupExistingTags | groupRequestTags | groupVersion},
	{"PutReplicationConfiguration", onBucket, 0},
	{"ReplicateDelete", onObject, 0},
	{"ReplicateObject", onObject, groupSSE},
	{"ReplicateTags", onObject, 0},
	{"RestoreObject", onObject, 0},
	{"TagResource", onBucket, 0},
	{"UntagResource", onBucket, 0},
	{"UpdateBucketMetadataInventoryTableConfiguration", onBucket, 0},
	{"UpdateBucketMetadataJournalTableConfiguration", onBucket, 0},
	{"UpdateObjectEncryption", onObject, groupExistingTags | groupSSE},
}

// actionSet is a set of indexes into actions.
type actionSet [(len(actions) + 63) / 64]uint64

func (s *actionSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *actionSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// actionNames are the full names of the actions in lower case.
var actionNames = func() (names [len(actions)]string) {
	for i, a := range actions {
		names[i] = "s3:" + strings.ToLower(a.name)
	}
	return names
}()

// actionIndex finds an action by its full name as the gateway writes it, such as "s3:GetObject".
var actionIndex = func() map[string]int {
	index := make(map[string]int, len(actions))
	for i, a := range actions {
		index["s3:"+a.name] = i
	}
	return index
}()

// actionPattern is one value of Action or NotAction.
type actionPattern struct {
	literal bool      // names one action
	names   actionSet // the S3 actions it matches
	glob    glob      // in lower case, for the actions of other services
}

// compileAction compiles a value of Action: "*", or a service, a colon and a name with wildcards. Case does not count. It is false if no S3
// action matches; foreign says whether it is about another service, which an identity policy may name and nothing here does.
func compileAction(s string) (p actionPattern, known, foreign bool) {
	lower := strings.ToLower(s)
	service, name, found := strings.Cut(lower, ":")
	if lower != "*" && (!found || name == "" || service == "") {
		return p, false, false
	}
	p.literal = !strings.ContainsAny(s, "*?")
	p.glob = compileGlob(lower, syntax{wildcards: true})
	for i, full := range actionNames {
		if p.glob.match(full) {
			p.names.add(i)
			known = true
		}
	}
	return p, known, !known && !strings.ContainsAny(service, "*?") && service != "s3"
}

// matches reports whether the pattern names an action; i is its index, negative if it is none of S3's.
func (p *actionPattern) matches(i int, name string) bool {
	if i >= 0 {
		return p.names.has(i)
	}
	return p.glob.match(strings.ToLower(name))
}
