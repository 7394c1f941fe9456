package gw

import (
	"net/http"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// nullVersion is how S3 shows a version that was written while versioning was off or suspended.
const nullVersion = "null"

// parseVersion reads a version id: "" is the current version. An id that no version can have is InvalidArgument, as in S3.
func parseVersion(id string) (volume.Version, error) {
	switch id {
	case "":
		return volume.Version{}, nil
	case nullVersion:
		return volume.Version{Null: true}, nil
	}
	v, err := holdfast.ParseVersionID(id)
	if err != nil || v.IsZero() { // zero would mean the current version
		return volume.Version{}, s3api.BadArgument("versionId", id, "Invalid version id specified")
	}
	return volume.Version{ID: v}, nil
}

// version reads the versionId of the request.
func (q *request) version() (volume.Version, error) {
	ids, ok := q.query["versionId"]
	if ok && (len(ids) == 0 || ids[0] == "") {
		return volume.Version{}, s3api.BadArgument("versionId", "", "Version id cannot be the empty string")
	}
	return parseVersion(q.query.Get("versionId"))
}

// setVersion sets x-amz-version-id if the bucket has, or had, versioning.
func setVersion(h http.Header, info *holdfast.BucketInfo, id holdfast.VersionID, null bool) {
	if info.Versioning == holdfast.VersioningOff {
		return
	}
	h.Set("X-Amz-Version-Id", versionText(id, null))
}

// setWritten is setVersion for what was uploaded. The null version of a bucket with suspended versioning is not told, as in S3, though a copy and
// a read tell it.
func setWritten(h http.Header, info *holdfast.BucketInfo, e *holdfast.Entry) {
	if !e.Null {
		setVersion(h, info, e.Version, false)
	}
}

func versionText(id holdfast.VersionID, null bool) string {
	if null {
		return nullVersion
	}
	return id.String()
}
