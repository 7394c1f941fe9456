package gw

import (
	"strings"

	"holdfast/gw/s3api"
	"holdfast/volume"
)

// requestPayment is who pays for requests. Nobody is charged here: what was set is kept and shown, and x-amz-request-payer is
// not asked for.
func requestPayment() setting {
	return setting{
		name: "requestPayment", put: s3api.OpPutBucketRequestPayment,
		unset: s3api.AppendRequestPayment(nil, s3api.BucketOwnerPays),
		check: func(_ *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
			payer, err := s3api.DecodeRequestPayment(doc)
			if err != nil {
				return nil, err
			}
			return s3api.AppendRequestPayment(nil, payer), nil
		},
	}
}

// accelerate is the state of transfer acceleration, which can only be off: there is no second endpoint that would be nearer to
// anybody.
func accelerate() setting {
	return setting{
		name: "accelerate", put: s3api.OpPutBucketAccelerateConfiguration, unset: s3api.AppendAccelerate(nil, ""),
		check: func(_ *request, b *volume.Bucket, doc []byte) ([]byte, error) {
			status, err := s3api.DecodeAccelerate(doc)
			switch {
			case err != nil:
				return nil, err
			case strings.Contains(b.Info().Name, "."):
				return nil, s3api.E(s3api.InvalidRequest).WithMessage(
					"S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
			case status == "Enabled":
				return nil, s3api.E(s3api.InvalidRequest).WithMessage("S3 Transfer Acceleration is not supported on this bucket")
			}
			return s3api.AppendAccelerate(nil, status), nil
		},
	}
}

// noConfigurations answers the list of configurations of a kind that no bucket can have (inventories and the like): there are
// none. Consoles and infrastructure tools ask for each of these lists when they look at a bucket.
func noConfigurations(root string) handler {
	return func(q *request) error {
		if _, err := q.bucket(); err != nil {
			return err
		}
		return q.sendXML(func(dst []byte) []byte { return s3api.AppendNoConfigurations(dst, root) })
	}
}

// noConfiguration answers a request for one such configuration: it is not there.
func noConfiguration(q *request) error {
	if _, err := q.bucket(); err != nil {
		return err
	}
	return s3api.E(s3api.NoSuchConfiguration)
}
