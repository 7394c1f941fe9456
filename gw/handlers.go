package gw

import (
	"holdfast/gw/admin"
	"holdfast/gw/s3api"
)

// handlers is the table of operations that are built. What is not in it is refused by name, never answered with a success
// that did nothing; a test holds it against s3api's own table.
func handlers() map[s3api.Op]handler {
	return map[s3api.Op]handler{
		s3api.OpListBuckets: listBuckets,

		s3api.OpOstorGetUsers:       managed((*admin.API).GetUsers),
		s3api.OpOstorPutUsers:       managed((*admin.API).PutUsers),
		s3api.OpOstorPostUsers:      managed((*admin.API).PostUsers),
		s3api.OpOstorDeleteUsers:    managed((*admin.API).DeleteUsers),
		s3api.OpOstorGetAccounts:    managed((*admin.API).GetAccounts),
		s3api.OpOstorPutAccounts:    managed((*admin.API).PutAccounts),
		s3api.OpOstorPostAccounts:   managed((*admin.API).PostAccounts),
		s3api.OpOstorDeleteAccounts: managed((*admin.API).DeleteAccounts),
		s3api.OpOstorGetBuckets:     managed((*admin.API).GetBuckets),
		s3api.OpOstorPostBuckets:    managed((*admin.API).PostBuckets),
		s3api.OpOstorDeleteBuckets:  managed((*admin.API).DeleteBuckets),

		s3api.OpCreateBucket:                    createBucket,
		s3api.OpDeleteBucket:                    deleteBucket,
		s3api.OpHeadBucket:                      headBucket,
		s3api.OpGetBucketLocation:               getBucketLocation,
		s3api.OpGetBucketVersioning:             getBucketVersioning,
		s3api.OpGetBucketAcl:                    getBucketACL,
		s3api.OpGetBucketLifecycleConfiguration: getLifecycle,
		s3api.OpPutBucketLifecycleConfiguration: lifecycleSetting().set,
		s3api.OpDeleteBucketLifecycle:           lifecycleSetting().remove,

		s3api.OpListObjects:          listObjects,
		s3api.OpListObjectsV2:        listObjectsV2,
		s3api.OpListObjectVersions:   listObjectVersions,
		s3api.OpPutBucketVersioning:  putBucketVersioning,
		s3api.OpListMultipartUploads: listUploads,

		s3api.OpGetBucketTagging:           bucketTagging().get,
		s3api.OpPutBucketTagging:           bucketTagging().set,
		s3api.OpDeleteBucketTagging:        bucketTagging().remove,
		s3api.OpGetObjectLockConfiguration: getObjectLockConfiguration,
		s3api.OpPutObjectLockConfiguration: putObjectLockConfiguration,
		s3api.OpDeleteObjects:              deleteObjects,

		s3api.OpPostObject:                                  postObject,
		s3api.OpGetBucketCors:                               cors().get,
		s3api.OpPutBucketCors:                               cors().set,
		s3api.OpDeleteBucketCors:                            cors().remove,
		s3api.OpPreflightService:                            preflight,
		s3api.OpPreflightBucket:                             preflight,
		s3api.OpPreflightObject:                             preflight,
		s3api.OpGetBucketLogging:                            logging().get,
		s3api.OpPutBucketLogging:                            logging().set,
		s3api.OpGetBucketNotificationConfiguration:          notification().get,
		s3api.OpPutBucketNotificationConfiguration:          notification().set,
		s3api.OpGetBucketRequestPayment:                     requestPayment().get,
		s3api.OpPutBucketRequestPayment:                     requestPayment().set,
		s3api.OpGetBucketAccelerateConfiguration:            accelerate().get,
		s3api.OpPutBucketAccelerateConfiguration:            accelerate().set,
		s3api.OpListBucketInventoryConfigurations:           noConfigurations("ListInventoryConfigurationsResult"),
		s3api.OpListBucketAnalyticsConfigurations:           noConfigurations("ListBucketAnalyticsConfigurationResult"),
		s3api.OpListBucketMetricsConfigurations:             noConfigurations("ListMetricsConfigurationsResult"),
		s3api.OpListBucketIntelligentTieringConfigurations:  noConfigurations("ListBucketIntelligentTieringConfigurationsOutput"),
		s3api.OpGetBucketInventoryConfiguration:             noConfiguration,
		s3api.OpGetBucketAnalyticsConfiguration:             noConfiguration,
		s3api.OpGetBucketMetricsConfiguration:               noConfiguration,
		s3api.OpGetBucketIntelligentTieringConfiguration:    noConfiguration,
		s3api.OpDeleteBucketInventoryConfiguration:          noConfiguration,
		s3api.OpDeleteBucketAnalyticsConfiguration:          noConfiguration,
		s3api.OpDeleteBucketMetricsConfiguration:            noConfiguration,
		s3api.OpDeleteBucketIntelligentTieringConfiguration: noConfiguration,

		s3api.OpPutBucketAcl:                  putBucketACL,
		s3api.OpGetPublicAccessBlock:          publicAccessBlock.get,
		s3api.OpPutPublicAccessBlock:          publicAccessBlock.set,
		s3api.OpDeletePublicAccessBlock:       publicAccessBlock.remove,
		s3api.OpGetBucketOwnershipControls:    ownershipControls.get,
		s3api.OpPutBucketOwnershipControls:    ownershipControls.set,
		s3api.OpDeleteBucketOwnershipControls: ownershipControls.remove,

		s3api.OpPutObject:           putObject,
		s3api.OpCopyObject:          copyObject,
		s3api.OpGetObject:           getObject,
		s3api.OpHeadObject:          headObject,
		s3api.OpDeleteObject:        deleteObject,
		s3api.OpGetObjectAcl:        getObjectACL,
		s3api.OpPutObjectAcl:        putObjectACL,
		s3api.OpGetObjectAttributes: getObjectAttributes,
		s3api.OpGetObjectTagging:    getObjectTagging,
		s3api.OpPutObjectTagging:    putObjectTagging,
		s3api.OpDeleteObjectTagging: deleteObjectTagging,
		s3api.OpGetObjectRetention:  getObjectRetention,
		s3api.OpPutObjectRetention:  putObjectRetention,
		s3api.OpGetObjectLegalHold:  getObjectLegalHold,
		s3api.OpPutObjectLegalHold:  putObjectLegalHold,

		s3api.OpCreateMultipartUpload:   createUpload,
		s3api.OpUploadPart:              uploadPart,
		s3api.OpUploadPartCopy:          uploadPartCopy,
		s3api.OpListParts:               listParts,
		s3api.OpCompleteMultipartUpload: completeUpload,
		s3api.OpAbortMultipartUpload:    abortUpload,
	}
}
