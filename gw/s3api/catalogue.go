package s3api

import "net/http"

// The codes of the error page of the S3 API reference that a store of objects can meet, by subject. What S3 means by each
// is its default message in the catalogue below.
const (
	// Access and signatures.
	AccessDenied                      Code = "AccessDenied"
	AccessForbidden                   Code = "AccessForbidden"
	AccessControlListNotSupported     Code = "AccessControlListNotSupported"
	AccountProblem                    Code = "AccountProblem"
	AllAccessDisabled                 Code = "AllAccessDisabled"
	AmbiguousGrantByEmailAddress      Code = "AmbiguousGrantByEmailAddress"
	AuthorizationHeaderMalformed      Code = "AuthorizationHeaderMalformed"
	AuthorizationQueryParametersError Code = "AuthorizationQueryParametersError"
	CredentialsNotSupported           Code = "CredentialsNotSupported"
	ExpiredToken                      Code = "ExpiredToken"
	InvalidAccessKeyId                Code = "InvalidAccessKeyId"
	InvalidPayer                      Code = "InvalidPayer"
	InvalidSecurity                   Code = "InvalidSecurity"
	InvalidToken                      Code = "InvalidToken"
	MissingSecurityHeader             Code = "MissingSecurityHeader"
	NotSignedUp                       Code = "NotSignedUp"
	RequestTimeTooSkewed              Code = "RequestTimeTooSkewed"
	SignatureDoesNotMatch             Code = "SignatureDoesNotMatch"
	TokenRefreshRequired              Code = "TokenRefreshRequired"
	UnresolvableGrantByEmailAddress   Code = "UnresolvableGrantByEmailAddress"
	XAmzContentSHA256Mismatch         Code = "XAmzContentSHA256Mismatch"

	// Users, in the management API; codes of IAM, since S3 has none.
	NoSuchEntity        Code = "NoSuchEntity"
	EntityAlreadyExists Code = "EntityAlreadyExists"
	DeleteConflict      Code = "DeleteConflict"
	LimitExceeded       Code = "LimitExceeded"

	// The request as a whole.
	BadRequest                   Code = "BadRequest" // of a preflight
	IncompleteBody               Code = "IncompleteBody"
	InvalidArgument              Code = "InvalidArgument"
	InvalidRequest               Code = "InvalidRequest"
	InvalidURI                   Code = "InvalidURI"
	MalformedXML                 Code = "MalformedXML"
	MaxMessageLengthExceeded     Code = "MaxMessageLengthExceeded"
	MethodNotAllowed             Code = "MethodNotAllowed"
	MissingContentLength         Code = "MissingContentLength"
	MissingRequestBodyError      Code = "MissingRequestBodyError"
	NotImplemented               Code = "NotImplemented"
	RequestHeaderSectionTooLarge Code = "RequestHeaderSectionTooLarge"
	RequestTimeout               Code = "RequestTimeout"
	UnexpectedContent            Code = "UnexpectedContent"
	UnsupportedArgument          Code = "UnsupportedArgument"
	UnsupportedSignature         Code = "UnsupportedSignature"

	// The store's own state.
	InsufficientStorage Code = "InsufficientStorage" // ours: the storage is full
	InternalError       Code = "InternalError"
	OperationAborted    Code = "OperationAborted"
	PermanentRedirect   Code = "PermanentRedirect"
	QuotaExceeded       Code = "QuotaExceeded" // ours: S3 has no quotas
	ServiceUnavailable  Code = "ServiceUnavailable"
	SlowDown            Code = "SlowDown"
	TemporaryRedirect   Code = "TemporaryRedirect"

	// Buckets.
	BucketAlreadyExists                        Code = "BucketAlreadyExists"
	BucketAlreadyOwnedByYou                    Code = "BucketAlreadyOwnedByYou"
	BucketNotEmpty                             Code = "BucketNotEmpty"
	IllegalLocationConstraintException         Code = "IllegalLocationConstraintException"
	InvalidBucketAclWithBlockPublicAccessError Code = "InvalidBucketAclWithBlockPublicAccessError"
	InvalidBucketAclWithObjectOwnership        Code = "InvalidBucketAclWithObjectOwnership"
	InvalidBucketName                          Code = "InvalidBucketName"
	InvalidBucketOwnerAWSAccountID             Code = "InvalidBucketOwnerAWSAccountID"
	InvalidBucketState                         Code = "InvalidBucketState"
	InvalidLocationConstraint                  Code = "InvalidLocationConstraint"
	NoSuchBucket                               Code = "NoSuchBucket"
	Found                                      Code = "Found" // of a web site: a directory without its slash
	TooManyBuckets                             Code = "TooManyBuckets"

	// Objects.
	BadDigest                      Code = "BadDigest"
	ConditionalRequestConflict     Code = "ConditionalRequestConflict"
	EntityTooLarge                 Code = "EntityTooLarge"
	EntityTooSmall                 Code = "EntityTooSmall"
	IdempotencyParameterMismatch   Code = "IdempotencyParameterMismatch"
	InlineDataTooLarge             Code = "InlineDataTooLarge"
	InvalidChunkSizeError          Code = "InvalidChunkSizeError"
	InvalidDigest                  Code = "InvalidDigest"
	InvalidObjectState             Code = "InvalidObjectState"
	InvalidRange                   Code = "InvalidRange"
	InvalidRedirectLocation        Code = "InvalidRedirectLocation"
	InvalidStorageClass            Code = "InvalidStorageClass"
	InvalidWriteOffset             Code = "InvalidWriteOffset"
	KeyTooLongError                Code = "KeyTooLongError"
	MalformedTrailerError          Code = "MalformedTrailerError"
	MetadataTooLarge               Code = "MetadataTooLarge"
	MissingContentMD5              Code = "MissingContentMD5"
	NoSuchKey                      Code = "NoSuchKey"
	NoSuchVersion                  Code = "NoSuchVersion"
	NotModified                    Code = "NotModified"
	ObjectAlreadyInActiveTierError Code = "ObjectAlreadyInActiveTierError"
	ObjectNotInActiveTierError     Code = "ObjectNotInActiveTierError"
	PreconditionFailed             Code = "PreconditionFailed"
	RestoreAlreadyInProgress       Code = "RestoreAlreadyInProgress"

	// Multipart uploads.
	InvalidPart       Code = "InvalidPart"
	InvalidPartNumber Code = "InvalidPartNumber"
	InvalidPartOrder  Code = "InvalidPartOrder"
	NoSuchUpload      Code = "NoSuchUpload"
	TooManyParts      Code = "TooManyParts"

	// Sub-resources that are not there.
	NoSuchBucketPolicy                             Code = "NoSuchBucketPolicy"
	NoSuchCORSConfiguration                        Code = "NoSuchCORSConfiguration"
	NoSuchConfiguration                            Code = "NoSuchConfiguration"
	NoSuchLifecycleConfiguration                   Code = "NoSuchLifecycleConfiguration"
	NoSuchObjectLockConfiguration                  Code = "NoSuchObjectLockConfiguration"
	NoSuchPublicAccessBlockConfiguration           Code = "NoSuchPublicAccessBlockConfiguration"
	NoSuchTagSet                                   Code = "NoSuchTagSet"
	NoSuchWebsiteConfiguration                     Code = "NoSuchWebsiteConfiguration"
	NoLoggingStatusForKey                          Code = "NoLoggingStatusForKey"
	ObjectLockConfigurationNotFoundError           Code = "ObjectLockConfigurationNotFoundError"
	OwnershipControlsNotFoundError                 Code = "OwnershipControlsNotFoundError"
	ReplicationConfigurationNotFoundError          Code = "ReplicationConfigurationNotFoundError"
	ServerSideEncryptionConfigurationNotFoundError Code = "ServerSideEncryptionConfigurationNotFoundError"

	// Sub-resources that are refused.
	CrossLocationLoggingProhibited          Code = "CrossLocationLoggingProhibited"
	EncryptionTypeMismatch                  Code = "EncryptionTypeMismatch"
	IllegalVersioningConfigurationException Code = "IllegalVersioningConfigurationException"
	InvalidEncryptionAlgorithmError         Code = "InvalidEncryptionAlgorithmError"
	InvalidPolicyDocument                   Code = "InvalidPolicyDocument"
	InvalidRetentionPeriod                  Code = "InvalidRetentionPeriod"
	InvalidTag                              Code = "InvalidTag"
	InvalidTargetBucketForLogging           Code = "InvalidTargetBucketForLogging"
	MalformedACLError                       Code = "MalformedACLError"
	MalformedPolicy                         Code = "MalformedPolicy"
	RequestTorrentOfBucketError             Code = "RequestTorrentOfBucketError"
	TooManyConfigurations                   Code = "TooManyConfigurations"

	// POST object.
	IncorrectNumberOfFilesInPostRequest Code = "IncorrectNumberOfFilesInPostRequest"
	MalformedPOSTRequest                Code = "MalformedPOSTRequest"
	MaxPostPreDataLengthExceeded        Code = "MaxPostPreDataLengthExceeded" // as the live service has it, without "Error"
	RequestIsNotMultiPartContent        Code = "RequestIsNotMultiPartContent"
	UserKeyMustBeSpecified              Code = "UserKeyMustBeSpecified"

	// Select.
	InvalidExpressionType Code = "InvalidExpressionType"
)

// catalogue is every code with its status and S3's default message. The wording is the one the live service sends, which
// for some codes differs from the description in the reference; clients and test suites compare the live one.
var catalogue = []catalogueEntry{
	// Access and signatures.
	{AccessDenied, http.StatusForbidden, "Access Denied"},
	{AccessForbidden, http.StatusForbidden, "CORSResponse: This CORS request is not allowed."},
	{AccessControlListNotSupported, http.StatusBadRequest, "The bucket does not allow ACLs"},
	{AccountProblem, http.StatusForbidden,
		"There is a problem with your account that prevents the operation from completing successfully."},
	{AllAccessDisabled, http.StatusForbidden, "All access to this resource has been disabled."},
	{AmbiguousGrantByEmailAddress, http.StatusBadRequest,
		"The email address you provided is associated with more than one account."},
	{AuthorizationHeaderMalformed, http.StatusBadRequest, "The authorization header you provided is invalid."},
	{AuthorizationQueryParametersError, http.StatusBadRequest, "Error parsing the authorization query parameters."},
	{CredentialsNotSupported, http.StatusBadRequest, "This request does not support credentials."},
	{ExpiredToken, http.StatusBadRequest, "The provided token has expired."},
	{InvalidAccessKeyId, http.StatusForbidden, "The AWS Access Key Id you provided does not exist in our records."},
	{InvalidPayer, http.StatusForbidden, "All access to this object has been disabled."},
	{InvalidSecurity, http.StatusForbidden, "The provided security credentials are not valid."},
	{InvalidToken, http.StatusBadRequest, "The provided token is malformed or otherwise invalid."},
	{MissingSecurityHeader, http.StatusBadRequest, "Your request was missing a required header."},
	{NotSignedUp, http.StatusForbidden,
		"Your account is not signed up for the S3 service. You must sign up before you can use S3."},
	{RequestTimeTooSkewed, http.StatusForbidden,
		"The difference between the request time and the current time is too large."},
	{SignatureDoesNotMatch, http.StatusForbidden,
		"The request signature we calculated does not match the signature you provided. Check your key " +
			"and signing method."},
	{TokenRefreshRequired, http.StatusBadRequest, "The provided token must be refreshed."},
	{UnresolvableGrantByEmailAddress, http.StatusBadRequest,
		"The email address you provided does not match any account on record."},
	{XAmzContentSHA256Mismatch, http.StatusBadRequest,
		"The provided 'x-amz-content-sha256' header does not match what was computed."},

	{NoSuchEntity, http.StatusNotFound, "The request was rejected because it referenced a resource entity that does not exist."},
	{EntityAlreadyExists, http.StatusConflict, "The request was rejected because it attempted to create a resource that already exists."},
	{DeleteConflict, http.StatusConflict, "The request was rejected because it attempted to delete a resource that has attached subordinate entities."},
	{LimitExceeded, http.StatusConflict, "The request was rejected because it attempted to create resources beyond the current limits."},

	// The request as a whole.
	{BadRequest, http.StatusBadRequest, "Bad Request"},
	{IncompleteBody, http.StatusBadRequest, "The request body terminated unexpectedly"},
	{InvalidArgument, http.StatusBadRequest, "Invalid Argument"},
	{InvalidRequest, http.StatusBadRequest, "Invalid Request"},
	{InvalidURI, http.StatusBadRequest, "Couldn't parse the specified URI."},
	{MalformedXML, http.StatusBadRequest,
		"The XML you provided was not well-formed or did not validate against our published schema"},
	{MaxMessageLengthExceeded, http.StatusBadRequest, "Your request was too big."},
	{MethodNotAllowed, http.StatusMethodNotAllowed, "The specified method is not allowed against this resource."},
	{MissingContentLength, http.StatusLengthRequired, "You must provide the Content-Length HTTP header."},
	{MissingRequestBodyError, http.StatusBadRequest, "Request Body is empty"},
	{NotImplemented, http.StatusNotImplemented, "A header you provided implies functionality that is not implemented"},
	{RequestHeaderSectionTooLarge, http.StatusBadRequest,
		"Your request header section exceeds the maximum allowed size."},
	{RequestTimeout, http.StatusBadRequest,
		"Your socket connection to the server was not read from or written to within the timeout period. " +
			"Idle connections will be closed."},
	{UnexpectedContent, http.StatusBadRequest, "This request does not support content"},
	{UnsupportedArgument, http.StatusBadRequest, "The request contained an unsupported argument."},
	{UnsupportedSignature, http.StatusBadRequest,
		"The provided request is signed with an unsupported STS Token version or the signature version is " +
			"not supported."},

	// The store's own state.
	{InsufficientStorage, http.StatusInsufficientStorage,
		"There is not enough free space on the storage to complete the request. Reads and deletes still " +
			"work."},
	{InternalError, http.StatusInternalServerError, "We encountered an internal error. Please try again."},
	{OperationAborted, http.StatusConflict,
		"A conflicting conditional operation is currently in progress against this resource. Please try " +
			"again."},
	{PermanentRedirect, http.StatusMovedPermanently,
		"The bucket you are attempting to access must be addressed using the specified endpoint. Please " +
			"send all future requests to this endpoint."},
	{QuotaExceeded, http.StatusForbidden, "The quota of the bucket or of its owner is used up."},
	{ServiceUnavailable, http.StatusServiceUnavailable, "Service is unable to handle request."},
	{SlowDown, http.StatusServiceUnavailable, "Please reduce your request rate."},
	{TemporaryRedirect, http.StatusTemporaryRedirect, "You are being redirected to the bucket while DNS updates."},

	// Buckets.
	{BucketAlreadyExists, http.StatusConflict,
		"The requested bucket name is not available. The bucket namespace is shared by all users of the " +
			"system. Please select a different name and try again."},
	{BucketAlreadyOwnedByYou, http.StatusConflict,
		"Your previous request to create the named bucket succeeded and you already own it."},
	{BucketNotEmpty, http.StatusConflict, "The bucket you tried to delete is not empty"},
	{IllegalLocationConstraintException, http.StatusBadRequest,
		"The specified location constraint is incompatible for the region specific endpoint this request " +
			"was sent to."},
	{InvalidBucketAclWithBlockPublicAccessError, http.StatusBadRequest,
		"Bucket cannot have public ACLs set with BlockPublicAccess enabled"},
	{InvalidBucketAclWithObjectOwnership, http.StatusBadRequest,
		"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
	{InvalidBucketName, http.StatusBadRequest, "The specified bucket is not valid."},
	{InvalidBucketOwnerAWSAccountID, http.StatusBadRequest,
		"The value of the expected bucket owner parameter must be an AWS account ID."},
	{InvalidBucketState, http.StatusConflict, "The request is not valid with the current state of the bucket."},
	{InvalidLocationConstraint, http.StatusBadRequest, "The specified location-constraint is not valid"},
	{NoSuchBucket, http.StatusNotFound, "The specified bucket does not exist"},
	{Found, http.StatusFound, "Resource Found"},
	{TooManyBuckets, http.StatusBadRequest, "You have attempted to create more buckets than allowed"},

	// Objects.
	{BadDigest, http.StatusBadRequest, "The Content-MD5 you specified did not match what we received."},
	{ConditionalRequestConflict, http.StatusConflict,
		"The conditional request cannot succeed due to a conflicting operation against this resource."},
	{EntityTooLarge, http.StatusBadRequest, "Your proposed upload exceeds the maximum allowed size"},
	{EntityTooSmall, http.StatusBadRequest, "Your proposed upload is smaller than the minimum allowed size"},
	{IdempotencyParameterMismatch, http.StatusBadRequest,
		"Parameters on this idempotent request are inconsistent with parameters used in previous " +
			"requests."},
	{InlineDataTooLarge, http.StatusBadRequest, "Inline data exceeds the maximum allowed size."},
	{InvalidChunkSizeError, http.StatusForbidden, "Only the last chunk is allowed to have a size less than 8192 bytes"},
	{InvalidDigest, http.StatusBadRequest, "The Content-MD5 you specified was invalid."},
	{InvalidObjectState, http.StatusForbidden, "The operation is not valid for the object's storage class"},
	{InvalidRange, http.StatusRequestedRangeNotSatisfiable, "The requested range is not satisfiable"},
	{InvalidRedirectLocation, http.StatusBadRequest,
		"The website redirect location must have a prefix of 'http://' or 'https://' or '/'."},
	{InvalidStorageClass, http.StatusBadRequest, "The storage class you specified is not valid"},
	{InvalidWriteOffset, http.StatusBadRequest,
		"The write offset value that you specified does not match the current object size."},
	{KeyTooLongError, http.StatusBadRequest, "Your key is too long"},
	{MalformedTrailerError, http.StatusBadRequest,
		"The request contained trailing data that was not well-formed or did not conform to our published " +
			"schema."},
	{MetadataTooLarge, http.StatusBadRequest, "Your metadata headers exceed the maximum allowed metadata size"},
	{MissingContentMD5, http.StatusBadRequest, "Missing required header for this request: Content-MD5"},
	{NoSuchKey, http.StatusNotFound, "The specified key does not exist."},
	{NoSuchVersion, http.StatusNotFound, "The specified version does not exist."},
	{NotModified, http.StatusNotModified, "Not Modified"},
	{ObjectAlreadyInActiveTierError, http.StatusForbidden,
		"This object is already in the active tier and does not need to be restored."},
	{ObjectNotInActiveTierError, http.StatusForbidden,
		"The source object of the copy operation is not in the active tier."},
	{PreconditionFailed, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold"},
	{RestoreAlreadyInProgress, http.StatusConflict, "Object restore is already in progress"},

	// Multipart uploads.
	{InvalidPart, http.StatusBadRequest,
		"One or more of the specified parts could not be found.  The part may not have been uploaded, or " +
			"the specified entity tag may not match the part's entity tag."},
	{InvalidPartNumber, http.StatusRequestedRangeNotSatisfiable, "The requested partnumber is not satisfiable"},
	{InvalidPartOrder, http.StatusBadRequest,
		"The list of parts was not in ascending order. Parts must be ordered by part number."},
	{NoSuchUpload, http.StatusNotFound,
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been " +
			"aborted or completed."},
	{TooManyParts, http.StatusBadRequest,
		"You have attempted to add more parts than the maximum of 10000 that are allowed for this object."},

	// Sub-resources that are not there.
	{NoSuchBucketPolicy, http.StatusNotFound, "The bucket policy does not exist"},
	{NoSuchCORSConfiguration, http.StatusNotFound, "The CORS configuration does not exist"},
	{NoSuchConfiguration, http.StatusNotFound, "The specified configuration does not exist."},
	{NoSuchLifecycleConfiguration, http.StatusNotFound, "The lifecycle configuration does not exist"},
	{NoSuchObjectLockConfiguration, http.StatusNotFound,
		"The specified object does not have a ObjectLock configuration"},
	{NoSuchPublicAccessBlockConfiguration, http.StatusNotFound, "The public access block configuration was not found"},
	{NoSuchTagSet, http.StatusNotFound, "The TagSet does not exist"},
	{NoSuchWebsiteConfiguration, http.StatusNotFound, "The specified bucket does not have a website configuration"},
	{NoLoggingStatusForKey, http.StatusBadRequest, "There is no such thing as a logging status subresource for a key."},
	{ObjectLockConfigurationNotFoundError, http.StatusNotFound,
		"Object Lock configuration does not exist for this bucket"},
	{OwnershipControlsNotFoundError, http.StatusNotFound, "The bucket ownership controls were not found"},
	{ReplicationConfigurationNotFoundError, http.StatusNotFound, "The replication configuration was not found"},
	{ServerSideEncryptionConfigurationNotFoundError, http.StatusNotFound,
		"The server side encryption configuration was not found"},

	// Sub-resources that are refused.
	{CrossLocationLoggingProhibited, http.StatusForbidden, "Cross location logging not allowed"},
	{EncryptionTypeMismatch, http.StatusBadRequest, "The existing object was created with a different encryption type."},
	{IllegalVersioningConfigurationException, http.StatusBadRequest, "The Versioning element must be specified"},
	{InvalidEncryptionAlgorithmError, http.StatusBadRequest,
		"The encryption request you specified is not valid. The valid value is AES256."},
	{InvalidPolicyDocument, http.StatusBadRequest,
		"The content of the form does not meet the conditions specified in the policy document."},
	{InvalidRetentionPeriod, http.StatusBadRequest, "The retention period specified is not valid."},
	{InvalidTag, http.StatusBadRequest,
		"The tag provided was not a valid tag. This error can occur if the tag did not pass input " +
			"validation."},
	{InvalidTargetBucketForLogging, http.StatusBadRequest,
		"The target bucket for logging does not exist, is not owned by you, or does not have the " +
			"appropriate grants for the log-delivery group."},
	{MalformedACLError, http.StatusBadRequest,
		"The XML you provided was not well-formed or did not validate against our published schema"},
	{MalformedPolicy, http.StatusBadRequest, "This policy contains invalid Json"},
	{RequestTorrentOfBucketError, http.StatusBadRequest, "Requesting the torrent file of a bucket is not permitted."},
	{TooManyConfigurations, http.StatusBadRequest,
		"You are attempting to create a new configuration but have already reached the configuration " +
			"limit."},

	// POST object.
	{IncorrectNumberOfFilesInPostRequest, http.StatusBadRequest, "POST requires exactly one file upload per request."},
	{MalformedPOSTRequest, http.StatusBadRequest,
		"The body of your POST request is not well-formed multipart/form-data."},
	{MaxPostPreDataLengthExceeded, http.StatusBadRequest,
		"Your POST request fields preceeding the upload file was too large."},
	{RequestIsNotMultiPartContent, http.StatusBadRequest,
		"Bucket POST must be of the enclosure-type multipart/form-data."},
	{UserKeyMustBeSpecified, http.StatusBadRequest,
		"The bucket POST must contain the specified field name. If it is specified, check the order of " +
			"the fields."},

	// Select.
	{InvalidExpressionType, http.StatusBadRequest,
		"The ExpressionType is not valid. Only SQL expressions are supported."},
}
