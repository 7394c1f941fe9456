package gw

import (
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// encryption is the default encryption of a bucket
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html).
func encryption() setting {
	return setting{
		name: "encryption", put: s3api.OpPutBucketEncryption, absent: s3api.ServerSideEncryptionConfigurationNotFoundError,
		check: func(q *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
			c, err := s3api.DecodeEncryption(doc)
			if err != nil {
				return nil, err
			}
			if c.Managed && q.g.keys == nil {
				return nil, s3api.E(s3api.NotImplemented).WithMessage("This server has no master key to encrypt with.")
			}
			return c.Append(nil), nil
		},
	}
}

// getBucketEncryption answers for a bucket on which nothing was set what the server does: AES256 if it encrypts all, else that there is
// no configuration.
func getBucketEncryption(q *request) error {
	s := encryption()
	if q.set.encrypt {
		s.unset = (&s3api.EncryptionConfig{Managed: true}).Append(nil)
	}
	return s.get(q)
}

// defaultEncryption returns how objects are encrypted whose request says nothing of it.
func (q *request) defaultEncryption(b *volume.Bucket) (s3api.EncryptionConfig, error) {
	c, ok, err := parseSetting(&q.g.parsed, b, "encryption", s3api.DecodeEncryption)
	if err == nil && !ok {
		c.Managed = q.set.encrypt
	}
	return c, err
}
