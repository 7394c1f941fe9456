package checksum

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/minio/crc64nvme"
)

// Algorithm is one of the additional checksums of the S3 API. Its numbers may
// be stored: they are never reused or reordered.
type Algorithm uint8

// The algorithms. None is the zero value and means that no additional checksum
// was asked for.
const (
	None      Algorithm = 0
	CRC32     Algorithm = 1 // ISO-HDLC polynomial, as in zlib
	CRC32C    Algorithm = 2 // Castagnoli polynomial
	CRC64NVME Algorithm = 3 // NVM Express polynomial
	SHA1      Algorithm = 4
	SHA256    Algorithm = 5
)

// Type tells what the checksum of a multipart object covers, as in the
// x-amz-checksum-type header.
type Type uint8

// The two types. A checksum of an object that was put whole is FullObject.
const (
	FullObject Type = 0 // the bytes of the object
	Composite  Type = 1 // the concatenated raw checksums of its parts
)

// String returns the value of x-amz-checksum-type.
func (t Type) String() string {
	if t == Composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}

// ParseType reads the value of x-amz-checksum-type.
func ParseType(s string) (Type, error) {
	switch strings.ToUpper(s) {
	case "COMPOSITE":
		return Composite, nil
	case "FULL_OBJECT":
		return FullObject, nil
	}
	return 0, invalidRequest("Value for x-amz-checksum-type header is invalid.")
}

// HeaderPrefix begins the names of the headers and trailers that carry
// checksums; the algorithm's name in lower case follows.
const HeaderPrefix = "x-amz-checksum-"

// algorithms lists what is known of each algorithm, by its number.
var algorithms = [...]struct {
	name   string // as in x-amz-checksum-algorithm
	header string // lower case; Header.Get takes it as it is
	key    string // the same in the canonical form of net/http
	size   int    // bytes of a raw value
}{
	None:      {"", "", "", 0},
	CRC32:     {"CRC32", "x-amz-checksum-crc32", "X-Amz-Checksum-Crc32", crc32.Size},
	CRC32C:    {"CRC32C", "x-amz-checksum-crc32c", "X-Amz-Checksum-Crc32c", crc32.Size},
	CRC64NVME: {"CRC64NVME", "x-amz-checksum-crc64nvme", "X-Amz-Checksum-Crc64nvme", crc64nvme.Size},
	SHA1:      {"SHA1", "x-amz-checksum-sha1", "X-Amz-Checksum-Sha1", sha1.Size},
	SHA256:    {"SHA256", "x-amz-checksum-sha256", "X-Amz-Checksum-Sha256", sha256.Size},
}

func (a Algorithm) known() bool { return a != None && int(a) < len(algorithms) }

// String returns the name S3 uses, such as "CRC64NVME"; "" for None.
func (a Algorithm) String() string {
	if !a.known() {
		return ""
	}
	return algorithms[a].name
}

// Header returns the lower-case name of the header or trailer that carries
// values of a, such as "x-amz-checksum-crc32c"; "" for None.
func (a Algorithm) Header() string {
	if !a.known() {
		return ""
	}
	return algorithms[a].header
}

// Size returns the number of bytes of a raw value; 0 for None.
func (a Algorithm) Size() int {
	if !a.known() {
		return 0
	}
	return algorithms[a].size
}

// New returns a new hash whose Sum is the raw value in network byte order, or
// nil for None.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(castagnoli)
	case CRC64NVME:
		return crc64nvme.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Allows tells whether a multipart object may have a checksum of algorithm a
// and type t: CRC64NVME is always of the full object, SHA-1 and SHA-256 are
// always composite, the other two may be either.
func (a Algorithm) Allows(t Type) bool {
	switch a {
	case CRC32, CRC32C:
		return true
	case CRC64NVME:
		return t == FullObject
	case SHA1, SHA256:
		return t == Composite
	}
	return false
}

// DefaultType returns the type of a multipart object's checksum when the
// client named only the algorithm.
func (a Algorithm) DefaultType() Type {
	if a == CRC64NVME {
		return FullObject
	}
	return Composite
}

// ParseAlgorithm reads an algorithm's name, in any case, as in
// x-amz-sdk-checksum-algorithm and x-amz-checksum-algorithm. The error is an
// *Error with code InvalidRequest.
func ParseAlgorithm(s string) (Algorithm, error) {
	for a := CRC32; int(a) < len(algorithms); a++ {
		if strings.EqualFold(s, algorithms[a].name) {
			return a, nil
		}
	}
	if strings.Contains(s, ",") {
		return None, invalidRequest("Invalid types are specified in x-amz-checksum-algorithm header.")
	}
	return None, invalidRequest("Checksum algorithm provided is unsupported. " +
		"Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
}

// FromName returns the algorithm whose header or trailer is called name, in any
// case; None if no algorithm's is.
func FromName(name string) Algorithm {
	for a := CRC32; int(a) < len(algorithms); a++ {
		if strings.EqualFold(name, algorithms[a].header) {
			return a
		}
	}
	return None
}
