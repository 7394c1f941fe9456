package s3api

// EncryptionConfig is the default encryption of a bucket
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html).
type EncryptionConfig struct {
	Managed   bool // objects whose request says nothing are encrypted with managed keys
	BucketKey bool // BucketKeyEnabled; without a meaning where there is no KMS, and given back
	// Blocked is what BlockedEncryptionTypes has: "", "NONE" or "SSE-C", which refuses to store objects with customers' keys.
	Blocked string
}

// BlocksCustomerKeys reports whether objects with customers' keys are refused.
func (c *EncryptionConfig) BlocksCustomerKeys() bool { return c.Blocked == "SSE-C" }

const encryptionRoot = "ServerSideEncryptionConfiguration"

// DecodeEncryption decodes and checks the body of PutBucketEncryption. Keys of a KMS are NotImplemented.
func DecodeEncryption(body []byte) (EncryptionConfig, error) {
	var c EncryptionConfig
	rules := 0
	err := decodeRoot(body, encryptionRoot, func(s *scanner, name string) error {
		if name != "Rule" || rules == 1 {
			return s.fail("unexpected element " + name)
		}
		rules++
		return s.encryptionRule(&c)
	})
	if err == nil && (rules == 0 || !c.Managed && c.Blocked == "") {
		err = E(MalformedXML)
	}
	return c, err
}

func (s *scanner) encryptionRule(c *EncryptionConfig) error {
	var seen map[string]bool
	var bucketKey string
	applied, blocked := false, false
	err := s.each(func(name string) error {
		switch {
		case name == "ApplyServerSideEncryptionByDefault" && !applied:
			applied = true
			return s.encryptionDefault(c)
		case name == "BlockedEncryptionTypes" && !blocked:
			blocked = true
			return s.blockedEncryption(c)
		case name == "BucketKeyEnabled":
			return s.once(&seen, name, &bucketKey)
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil || bucketKey == "" {
		return err
	}
	var ok bool
	if c.BucketKey, ok = parseXMLBool(bucketKey); !ok {
		return s.fail("BucketKeyEnabled is neither true nor false")
	}
	return nil
}

func (s *scanner) encryptionDefault(c *EncryptionConfig) error {
	var seen map[string]bool
	var algorithm, key string
	err := s.each(func(name string) error {
		switch name {
		case "SSEAlgorithm":
			return s.once(&seen, name, &algorithm)
		case "KMSMasterKeyID":
			return s.once(&seen, name, &key)
		}
		return s.fail("unexpected element " + name)
	})
	switch {
	case err != nil:
		return err
	case algorithm == "aws:kms" || algorithm == "aws:kms:dsse":
		return E(NotImplemented).WithMessage("There is no key management service: the only default encryption is AES256.")
	case algorithm != AES256:
		return s.fail("unknown SSEAlgorithm")
	case seen["KMSMasterKeyID"]:
		return E(InvalidArgument).With("ArgumentName", "ApplyServerSideEncryptionByDefault").WithMessage(
			"a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	c.Managed = true
	return nil
}

func (s *scanner) blockedEncryption(c *EncryptionConfig) error {
	return s.each(func(name string) error {
		if name != "EncryptionType" || c.Blocked != "" {
			return s.fail("unexpected element " + name)
		}
		var err error
		if c.Blocked, err = s.text(); err == nil && c.Blocked != "NONE" && c.Blocked != "SSE-C" {
			err = s.fail("unknown EncryptionType")
		}
		return err
	})
}

// Append appends the document, which [DecodeEncryption] reads back as it is: the answer of GetBucketEncryption.
func (c *EncryptionConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, encryptionRoot)
	dst = appendOpen(dst, "Rule")
	if c.Managed {
		dst = appendOpen(dst, "ApplyServerSideEncryptionByDefault")
		dst = appendElement(dst, "SSEAlgorithm", AES256)
		dst = appendClose(dst, "ApplyServerSideEncryptionByDefault")
	}
	if c.Blocked != "" {
		dst = appendOpen(dst, "BlockedEncryptionTypes")
		dst = appendElement(dst, "EncryptionType", c.Blocked)
		dst = appendClose(dst, "BlockedEncryptionTypes")
	}
	dst = appendBool(dst, "BucketKeyEnabled", c.BucketKey)
	dst = appendClose(dst, "Rule")
	return appendClose(dst, encryptionRoot)
}
