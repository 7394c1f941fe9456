package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"net/http"
)

// AES256 is the only algorithm of server-side encryption, with managed keys and with keys of customers.
const AES256 = "AES256"

// Encryption is what the headers of a request that stores an object ask for.
type Encryption struct {
	Managed  bool         // x-amz-server-side-encryption: AES256
	Customer *CustomerKey // nil: none was sent
}

// CustomerKey is a key that a client sends with each request (SSE-C).
type CustomerKey struct {
	Key [32]byte
	MD5 string // in base64, as it was sent
}

// Names of headers of encryption, and of the argument that errors name whichever header is wrong.
const (
	sseHeader     = "X-Amz-Server-Side-Encryption"
	sseKMSKey     = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	sseKMSContext = "X-Amz-Server-Side-Encryption-Context"
	sseCustomer   = "X-Amz-Server-Side-Encryption-Customer-"
	sseCopySource = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
	sseArgument   = "x-amz-server-side-encryption"
)

// What S3 says of keys, with its spelling.
const (
	needsKey         = "Requests specifying Server Side Encryption with Customer provided keys must provide "
	msgNeedAlgorithm = needsKey + "a valid encryption algorithm."
	msgNeedKey       = needsKey + "an appropriate secret key."
	msgNeedMD5       = needsKey + "the client calculated MD5 of the secret key."
	msgRightKey      = needsKey + "the correct secret key."
	msgBadKey        = "The secret key was invalid for the specified algorithm."
	msgBadKeyMD5     = "The calculated MD5 hash of the key did not match the hash that was provided."
	msgBadAlgorithm  = "The Encryption request you specified is not valid. Supported value: AES256."
	msgBoth          = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
	msgNotSupported  = "The encryption method specified is not supported"
	msgNeedKMS       = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
	msgNotHere       = "x-amz-server-side-encryption header is not supported for this operation."
)

// ParseEncryption reads the headers by which PutObject, CopyObject and CreateMultipartUpload ask for encryption
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html). Keys of a KMS are NotImplemented.
func ParseEncryption(h http.Header) (Encryption, error) {
	method, given := h[sseHeader]
	var e Encryption
	if given {
		switch method[0] {
		case AES256:
			e.Managed = true
		case "aws:kms", "aws:kms:dsse":
		default:
			return e, BadArgument(sseArgument, method[0], msgNotSupported)
		}
		if hasCustomerKey(h, sseCustomer) {
			return e, BadArgument(sseArgument, method[0], msgBoth)
		}
		if !e.Managed {
			return e, HeaderRefused(sseArgument, "There is no key management service.")
		}
	}
	if h.Get(sseKMSKey) != "" || h.Get(sseKMSContext) != "" {
		return e, BadArgument(sseArgument, h.Get(sseHeader), msgNeedKMS)
	}
	var err error
	e.Customer, err = ParseCustomerKey(h)
	return e, err
}

// ParseCustomerKey reads the three headers of a customer's key; nil is none.
func ParseCustomerKey(h http.Header) (*CustomerKey, error) { return parseCustomerKey(h, sseCustomer) }

// ParseCopySourceKey reads the three headers of the key of a copy's source; nil is none.
func ParseCopySourceKey(h http.Header) (*CustomerKey, error) {
	return parseCustomerKey(h, sseCopySource)
}

// RefuseEncryption refuses the header that asks for managed keys where it means nothing: S3 does not let it pass.
func RefuseEncryption(h http.Header) error {
	if value, given := h[sseHeader]; given {
		return BadArgument(sseArgument, value[0], msgNotHere)
	}
	return nil
}

func hasCustomerKey(h http.Header, prefix string) bool {
	return len(h[prefix+"Algorithm"]) > 0 || len(h[prefix+"Key"]) > 0 || len(h[prefix+"Key-Md5"]) > 0
}

func parseCustomerKey(h http.Header, prefix string) (*CustomerKey, error) {
	if !hasCustomerKey(h, prefix) {
		return nil, nil
	}
	algorithm, key, digest := h.Get(prefix+"Algorithm"), h.Get(prefix+"Key"), h.Get(prefix+"Key-Md5")
	switch {
	case algorithm == "":
		return nil, badKey(msgNeedAlgorithm)
	case algorithm != AES256:
		return nil, E(InvalidEncryptionAlgorithmError).WithMessage(msgBadAlgorithm).
			With("ArgumentName", sseArgument).With("ArgumentValue", algorithm)
	case key == "":
		return nil, badKey(msgNeedKey)
	case digest == "":
		return nil, badKey(msgNeedMD5)
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, badKey(msgBadKey)
	}
	sum := md5.Sum(raw)
	if want, err := base64.StdEncoding.DecodeString(digest); err != nil || !bytes.Equal(sum[:], want) {
		return nil, badKey(msgBadKeyMD5)
	}
	k := &CustomerKey{MD5: digest}
	if copy(k.Key[:], raw) != len(k.Key) || len(raw) != len(k.Key) {
		return nil, badKey(msgBadKey)
	}
	return k, nil
}

// badKey names no value: it might be a key.
func badKey(message string) *Error { return BadArgument(sseArgument, "null", message) }

// String shows nothing of the key.
func (k *CustomerKey) String() string { return "customer key" }

// GoString shows nothing of the key.
func (k *CustomerKey) GoString() string { return "customer key" }

// KeyMissing is the error of a request that reads an object with a customer's key and sends none.
func KeyMissing() *Error {
	return E(InvalidRequest).WithMessage("The object was stored using a form of Server Side Encryption. " +
		"The correct parameters must be provided to retrieve the object.")
}

// KeyNotWanted is the error of a request that reads an object without a customer's key and sends one.
func KeyNotWanted() *Error {
	return E(InvalidRequest).WithMessage("The encryption parameters are not applicable to this object.")
}

// KeyWrong is the error of a request that reads an object with another key than it was stored with.
func KeyWrong() *Error { return E(AccessDenied).WithMessage(msgRightKey) }

// PartKeyMissing is the error of a part with a key when its upload was begun without one, or the other way round.
func PartKeyMissing() *Error {
	return E(InvalidRequest).WithMessage("The multipart upload initiate requested encryption. " +
		"Subsequent part requests must include the appropriate encryption parameters.")
}

// PartKeyWrong is the error of a part with another key than its upload was begun with.
func PartKeyWrong() *Error {
	return E(InvalidRequest).WithMessage("The provided encryption parameters did not match the ones used originally.")
}

// SetManaged sets what answers about an object with managed keys say of that.
func SetManaged(h http.Header) { h[sseHeader] = []string{AES256} }

// SetCustomer sets what answers about an object with a customer's key say of that.
func SetCustomer(h http.Header, k *CustomerKey) {
	h[sseCustomer+"Algorithm"] = []string{AES256}
	h[sseCustomer+"Key-Md5"] = []string{k.MD5}
}

// AsksEncryption reports whether a request asks for any encryption of what it stores.
func AsksEncryption(h http.Header) bool {
	return len(h[sseHeader]) > 0 || hasCustomerKey(h, sseCustomer)
}
