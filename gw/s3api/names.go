package s3api

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of names, in bytes.
const (
	MinBucketName = 3
	MaxBucketName = 63
	MaxKey        = 1024
)

// Bucket names that begin or end so belong to other kinds of S3 resources (access points, directory and table buckets,
// Outposts) or are reserved by S3; clients treat them specially.
var (
	reservedPrefixes = [...]string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedSuffixes = [...]string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// CheckNewBucketName checks the name of a bucket to be created: 3 to 63 bytes of lower-case letters, digits, '.', '-' and '_',
// in labels separated by single dots, each label beginning and ending with a letter or digit; no IP address, none of the
// prefixes and suffixes S3 reserves. Underscores are not in today's S3 rules but in its older ones; names with them
// work path style only. Else InvalidBucketName.
func CheckNewBucketName(name string) error {
	if !plausibleBucket(name) || isAddress(name) {
		return badBucketName(name)
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return badBucketName(name)
		}
	}
	for _, suffix := range reservedSuffixes {
		if strings.HasSuffix(name, suffix) {
			return badBucketName(name)
		}
	}
	return nil
}

// plausibleBucket reports whether a bucket of this name could ever have been created here; the reserved names may have been
// before they were reserved.
func plausibleBucket(name string) bool {
	if len(name) < MinBucketName || len(name) > MaxBucketName {
		return false
	}
	atEdge := true // the next byte begins a label
	for i := range len(name) {
		switch b := name[i]; {
		case b >= 'a' && b <= 'z' || b >= '0' && b <= '9':
			atEdge = false
		case atEdge: // '.', '-' or '_' where a label begins, or after a dot
			return false
		case b == '.':
			if last := name[i-1]; last == '-' || last == '_' {
				return false
			}
			atEdge = true
		case b != '-' && b != '_':
			return false
		}
	}
	last := name[len(name)-1]
	return last != '.' && last != '-' && last != '_'
}

func badBucketName(name string) *Error { return E(InvalidBucketName).With("BucketName", name) }

// CheckKey checks an object key: 1 to 1024 bytes of UTF-8. Any other text is a key, NUL, "..", "//" and a trailing slash included.
func CheckKey(key string) error {
	if len(key) > MaxKey {
		return E(KeyTooLongError).With("Size", strconv.Itoa(len(key))).With("MaxSizeAllowed", strconv.Itoa(MaxKey))
	}
	if key == "" || !utf8.ValidString(key) {
		return E(InvalidURI)
	}
	return nil
}

// StorageClass is a storage class's name.
type StorageClass string

// Standard is the class of an object that names none.
const Standard StorageClass = "STANDARD"

// storageClasses are the names a client may store an object under. The others of the API (OUTPOSTS, SNOW, EXPRESS_ONEZONE,
// FSX_OPENZFS, FSX_ONTAP) name places a request cannot choose.
var storageClasses = map[StorageClass]bool{
	Standard: true, "REDUCED_REDUNDANCY": true, "STANDARD_IA": true, "ONEZONE_IA": true, "INTELLIGENT_TIERING": true,
	"GLACIER": true, "GLACIER_IR": true, "DEEP_ARCHIVE": true,
}

// ParseStorageClass parses an x-amz-storage-class header; "" is [Standard], an unknown name InvalidStorageClass.
func ParseStorageClass(value string) (StorageClass, error) {
	if value == "" {
		return Standard, nil
	}
	if class := StorageClass(value); storageClasses[class] {
		return class, nil
	}
	return "", E(InvalidStorageClass).With("StorageClassRequested", value)
}
