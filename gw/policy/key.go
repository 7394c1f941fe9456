package policy

import "strings"

// Key is a condition key in its usual spelling. A key of a family, such as [KeyExistingObjectTag], ends in "/" and is followed by a name in a
// policy. Names of keys are compared without regard to case; how the name behind a "/" compares is the context's business.
type Key string

// The keys that the evaluator fills from the fields of [Request].
const (
	KeyCurrentTime      Key = "aws:CurrentTime"
	KeyEpochTime        Key = "aws:EpochTime"
	KeyPrincipalAccount Key = "aws:PrincipalAccount"
	KeyPrincipalArn     Key = "aws:PrincipalArn"
	KeyPrincipalType    Key = "aws:PrincipalType"
	KeyPrincipalService Key = "aws:PrincipalServiceName"
	KeyPrincipalIsAWS   Key = "aws:PrincipalIsAWSService"
	KeyResourceAccount  Key = "aws:ResourceAccount"
	KeyS3Account        Key = "s3:ResourceAccount"
	KeySourceIP         Key = "aws:SourceIp"
	KeyUserID           Key = "aws:userid"
	KeyUserName         Key = "aws:username"
)

// The keys that [Context.Lookup] is asked for.
const (
	KeyReferer         Key = "aws:Referer"
	KeyRequestedRegion Key = "aws:RequestedRegion"
	KeySecureTransport Key = "aws:SecureTransport"
	KeySourceAccount   Key = "aws:SourceAccount"
	KeySourceArn       Key = "aws:SourceArn"
	KeyUserAgent       Key = "aws:UserAgent"

	KeyACL               Key = "s3:x-amz-acl"
	KeyAuthType          Key = "s3:authType"
	KeyContentSHA256     Key = "s3:x-amz-content-sha256"
	KeyCopySource        Key = "s3:x-amz-copy-source"
	KeyDelimiter         Key = "s3:delimiter"
	KeyExistingObjectTag Key = "s3:ExistingObjectTag/"
	KeyGrantFullControl  Key = "s3:x-amz-grant-full-control"
	KeyGrantRead         Key = "s3:x-amz-grant-read"
	KeyGrantReadACP      Key = "s3:x-amz-grant-read-acp"
	KeyGrantWrite        Key = "s3:x-amz-grant-write"
	KeyGrantWriteACP     Key = "s3:x-amz-grant-write-acp"
	KeyIfMatch           Key = "s3:if-match"
	KeyIfNoneMatch       Key = "s3:if-none-match"
	KeyLegalHold         Key = "s3:object-lock-legal-hold"
	KeyLocation          Key = "s3:locationconstraint"
	KeyLockMode          Key = "s3:object-lock-mode"
	KeyLockUntil         Key = "s3:object-lock-retain-until-date"
	KeyLockDays          Key = "s3:object-lock-remaining-retention-days"
	KeyMaxKeys           Key = "s3:max-keys"
	KeyMetadataDirective Key = "s3:x-amz-metadata-directive"
	KeyObjectCreation    Key = "s3:ObjectCreationOperation"
	KeyObjectOwnership   Key = "s3:x-amz-object-ownership"
	KeyPrefix            Key = "s3:prefix"
	KeyRequestObjectTag  Key = "s3:RequestObjectTag/"
	KeyRequestTagKeys    Key = "s3:RequestObjectTagKeys"
	KeySSE               Key = "s3:x-amz-server-side-encryption"
	KeySSECustomer       Key = "s3:x-amz-server-side-encryption-customer-algorithm"
	KeySSEKMSKey         Key = "s3:x-amz-server-side-encryption-aws-kms-key-id"
	KeySignatureAge      Key = "s3:signatureAge"
	KeySignatureVersion  Key = "s3:signatureversion"
	KeyStorageClass      Key = "s3:x-amz-storage-class"
	KeyTLSVersion        Key = "s3:TlsVersion"
	KeyVersionID         Key = "s3:versionid"
	KeyWebsiteRedirect   Key = "s3:x-amz-website-redirect-location"
)

// keyGroup is a set of groups of condition keys that only some actions have; see the table of actions.
type keyGroup uint16

const (
	groupList keyGroup = 1 << iota
	groupExistingTags
	groupRequestTags
	groupVersion
	groupACL
	groupPut
	groupClass
	groupSSE
	groupIfMatch
	groupIfNone
	groupLock
	groupHold
	groupCreate
	groupOwnership
	groupBlindTags // the action may be given tag conditions but its authorisation does not see the tags, as in S3
)

// keyRow is a row of the table of condition keys.
type keyRow struct {
	key    Key
	groups keyGroup // actions that have it have one of these; 0: all actions
	own    bool     // the evaluator fills it
	never  bool     // S3 has it and no request here ever does
}

// keys are the condition keys of S3, from the Service Authorization Reference for Amazon S3, and the global ones that a request here may have.
// Another global key is accepted, as S3 accepts it, and is in no request's context.
var keys = [...]keyRow{
	{key: KeyCurrentTime, own: true},
	{key: KeyEpochTime, own: true},
	{key: KeyPrincipalAccount, own: true},
	{key: KeyPrincipalArn, own: true},
	{key: KeyPrincipalType, own: true},
	{key: KeyPrincipalService, own: true},
	{key: KeyPrincipalIsAWS, own: true},
	{key: KeyResourceAccount, own: true},
	{key: KeyS3Account, own: true},
	{key: KeySourceIP},
	{key: KeyUserID, own: true},
	{key: KeyUserName, own: true},
	{key: KeyReferer},
	{key: KeyRequestedRegion},
	{key: KeySecureTransport},
	{key: KeySourceAccount},
	{key: KeySourceArn},
	{key: KeyUserAgent},
	{key: KeyACL, groups: groupACL},
	{key: KeyAuthType},
	{key: KeyContentSHA256},
	{key: KeyCopySource, groups: groupPut},
	{key: KeyDelimiter, groups: groupList},
	{key: KeyExistingObjectTag, groups: groupExistingTags},
	{key: KeyGrantFullControl, groups: groupACL},
	{key: KeyGrantRead, groups: groupACL},
	{key: KeyGrantReadACP, groups: groupACL},
	{key: KeyGrantWrite, groups: groupACL},
	{key: KeyGrantWriteACP, groups: groupACL},
	{key: KeyIfMatch, groups: groupIfMatch},
	{key: KeyIfNoneMatch, groups: groupIfNone},
	{key: KeyLegalHold, groups: groupHold},
	{key: KeyLocation, groups: groupCreate},
	{key: KeyLockMode, groups: groupLock},
	{key: KeyLockUntil, groups: groupLock},
	{key: KeyLockDays, groups: groupLock},
	{key: KeyMaxKeys, groups: groupList},
	{key: KeyMetadataDirective, groups: groupPut},
	{key: KeyObjectCreation, groups: groupIfNone},
	{key: KeyObjectOwnership, groups: groupOwnership},
	{key: KeyPrefix, groups: groupList},
	{key: KeyRequestObjectTag, groups: groupRequestTags},
	{key: KeyRequestTagKeys, groups: groupRequestTags},
	{key: KeySSE, groups: groupSSE | groupPut},
	{key: KeySSECustomer, groups: groupSSE | groupPut},
	{key: KeySSEKMSKey, groups: groupSSE | groupPut},
	{key: KeySignatureAge},
	{key: KeySignatureVersion},
	{key: KeyStorageClass, groups: groupClass},
	{key: KeyTLSVersion},
	{key: KeyVersionID, groups: groupVersion},
	{key: KeyWebsiteRedirect, groups: groupPut},

	{key: "s3:AccessGrantsInstanceArn", never: true},
	{key: "s3:AccessPointNetworkOrigin", never: true},
	{key: "s3:AccessPointTag/", never: true},
	{key: "s3:BucketTag/", never: true},
	{key: "s3:DataAccessPointAccount", never: true},
	{key: "s3:DataAccessPointArn", never: true},
}

// keyIndex finds a row by its key in lower case.
var keyIndex = func() map[string]int {
	index := make(map[string]int, len(keys))
	for i, row := range keys {
		index[strings.ToLower(string(row.key))] = i
	}
	return index
}()

// keyRef is a key as a policy names it.
type keyRef struct {
	key    Key
	name   string   // behind the "/" of a family
	groups keyGroup // actions that have it
	never  bool     // in no request's context
}

// parseKey looks a key up; false if there is none of the name.
func parseKey(s string) (keyRef, bool) {
	lower, name := strings.ToLower(s), ""
	if i := strings.IndexByte(s, '/'); i >= 0 {
		if lower, name = lower[:i+1], s[i+1:]; name == "" {
			return keyRef{}, false
		}
	}
	if i, ok := keyIndex[lower]; ok {
		return keyRef{key: keys[i].key, name: name, groups: keys[i].groups, never: keys[i].never}, true
	}
	return keyRef{key: Key(s), never: true}, len(lower) > len("aws:") && strings.HasPrefix(lower, "aws:")
}

// String returns the key with the name behind it.
func (k keyRef) String() string { return string(k.key) + k.name }

// Asks reports whether a condition on a key, with the name behind it if it is a family, can depend on what [Context.Lookup] returns.
func Asks(key string) bool {
	ref, ok := parseKey(key)
	i, listed := keyIndex[strings.ToLower(string(ref.key))]
	return ok && listed && !keys[i].own && !keys[i].never
}

// KeyInfo describes a condition key for a listing of what is supported.
type KeyInfo struct {
	Key   Key
	Never bool // accepted as in S3, and in no request's context
	Asked bool // comes from the Context of a request
	All   bool // goes with every action
}

// Keys returns all condition keys that are known.
func Keys() []KeyInfo {
	list := make([]KeyInfo, len(keys))
	for i, row := range keys {
		list[i] = KeyInfo{Key: row.key, Never: row.never, Asked: !row.own && !row.never, All: row.groups == 0}
	}
	return list
}
