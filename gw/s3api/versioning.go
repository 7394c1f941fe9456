package s3api

import (
	"net/url"
)

// VersioningConfig is the body of PutBucketVersioning
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html).
type VersioningConfig struct {
	Suspended bool // else Enabled
	MFADelete bool // asks for MFA delete
}

// DecodeVersioning decodes the body of PutBucketVersioning. One without a Status is IllegalVersioningConfigurationException, any
// other state than Enabled and Suspended MalformedXML: there is no way back to a bucket without versions.
func DecodeVersioning(body []byte) (VersioningConfig, error) {
	if len(body) == 0 {
		return VersioningConfig{}, E(MissingRequestBodyError)
	}
	var status, mfa string
	var seen map[string]bool
	err := decodeRoot(body, "VersioningConfiguration", func(s *scanner, name string) error {
		switch name {
		case "Status":
			return s.once(&seen, name, &status)
		case "MfaDelete", "MFADelete":
			return s.once(&seen, "MfaDelete", &mfa)
		}
		return s.fail("unexpected element " + name)
	})
	switch {
	case err != nil:
		return VersioningConfig{}, err
	case !seen["Status"]:
		return VersioningConfig{}, E(IllegalVersioningConfigurationException)
	case status != "Enabled" && status != "Suspended", mfa != "" && mfa != "Enabled" && mfa != "Disabled":
		return VersioningConfig{}, E(MalformedXML)
	}
	return VersioningConfig{Suspended: status == "Suspended", MFADelete: mfa == "Enabled"}, nil
}

// ParseVersionMarkers parses key-marker and version-id-marker of ListObjectVersions: a version-id-marker continues within the versions of
// the key-marker, so it cannot be without one, and it cannot be empty.
func ParseVersionMarkers(query url.Values) (key, versionID string, err error) {
	key = query.Get("key-marker")
	ids, given := query["version-id-marker"]
	switch {
	case !given:
		return key, "", nil
	case ids[0] == "":
		return "", "", BadArgument("version-id-marker", "", "A version-id marker cannot be empty.")
	case key == "":
		return "", "", BadArgument("version-id-marker", ids[0], "A version-id marker cannot be specified without a key marker.")
	}
	return key, ids[0], nil
}
