package gw

import (
	"holdfast/gw/s3api"
)

// restoreObject serves RestoreObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html). No object is archived, whatever its
// storage class says, so that there is nothing to restore.
func restoreObject(q *request) error {
	class, err := q.storageClass()
	if err != nil {
		return err
	}
	return s3api.E(s3api.InvalidObjectState).WithMessage("Restore is not allowed for the object's current storage class").With("StorageClass", class)
}

// getObjectTorrent serves GetObjectTorrent (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTorrent.html): no object has a torrent.
func getObjectTorrent(q *request) error {
	if _, err := q.storageClass(); err != nil {
		return err
	}
	return s3api.NoKey(q.target.Key)
}

// storageClass looks the object of the request up and returns its storage class.
func (q *request) storageClass() (string, error) {
	v, err := q.version()
	if err != nil {
		return "", err
	}
	b, err := q.bucket()
	if err != nil {
		return "", err
	}
	entry, err := q.head(b, v)
	return string(className(&entry)), err
}
