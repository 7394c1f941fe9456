package gwtest

import "encoding/xml"

// The documents of answers, as a strict client reads them. The namespace is part of the root's name.

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type ownerElement struct {
	ID          string
	DisplayName string
}

type listResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                *string
	Marker                *string
	NextMarker            *string
	StartAfter            *string
	ContinuationToken     *string
	NextContinuationToken *string
	Delimiter             *string
	EncodingType          *string
	MaxKeys               int
	KeyCount              *int
	IsTruncated           bool
	Contents              []struct {
		Key, LastModified, ETag, StorageClass string
		Size                                  int64
		Owner                                 *ownerElement
		ChecksumAlgorithm, ChecksumType       string
	}
	CommonPrefixes []struct{ Prefix string }
}

// keys are the keys and common prefixes of a page, each kind in its order.
func (r *listResult) keys() (keys, prefixes []string) {
	for _, c := range r.Contents {
		keys = append(keys, c.Key)
	}
	for _, p := range r.CommonPrefixes {
		prefixes = append(prefixes, p.Prefix)
	}
	return keys, prefixes
}

type bucketsResult struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             ownerElement
	Prefix            string
	ContinuationToken string
	Buckets           struct {
		Bucket []struct{ Name, CreationDate, BucketRegion string }
	}
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

type aclResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   ownerElement
	Grants  []struct {
		Grantee struct {
			Type string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
			ID   string
		}
		Permission string
	} `xml:"AccessControlList>Grant"`
}

type deleteResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []struct{ Key, VersionId string }
	Error   []struct{ Key, VersionId, Code, Message string }
}

type copyResult struct {
	XMLName        xml.Name
	LastModified   string
	ETag           string
	ChecksumType   string
	ChecksumCRC32  string
	ChecksumSHA256 string
}

type initiateResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

type completeResult struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location          string
	Bucket            string
	Key               string
	ETag              string
	ChecksumType      string
	ChecksumCRC32     string
	ChecksumCRC32C    string
	ChecksumCRC64NVME string
	ChecksumSHA1      string
	ChecksumSHA256    string
}

type partsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	Initiator            ownerElement
	Owner                ownerElement
	StorageClass         string
	ChecksumAlgorithm    string
	ChecksumType         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Part                 []struct {
		PartNumber     int
		LastModified   string
		ETag           string
		Size           int64
		ChecksumCRC32  string
		ChecksumSHA256 string
	}
}

type uploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
	Prefix             string
	Delimiter          string
	MaxUploads         int
	IsTruncated        bool
	Upload             []struct {
		Key          string
		UploadID     string `xml:"UploadId"`
		Initiator    ownerElement
		Owner        ownerElement
		StorageClass string
		Initiated    string
	}
	CommonPrefixes []struct{ Prefix string }
}

type attributesResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag     string
	Checksum *struct {
		ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME, ChecksumType string
	}
	ObjectParts *struct {
		PartsCount           int
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		Part                 []struct {
			PartNumber     int
			Size           int64
			ChecksumCRC32  string
			ChecksumSHA256 string
		}
	}
	StorageClass string
	ObjectSize   *int64
}
