/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of the KubeVirt object may bring. */
#include "reviews.h"

#define KV(spec) "{'metadata':{'name':'kubevirt','namespace':'kubevirt'},'spec':{" spec "}}"
#define CONFIG(members) KV("'configuration':{" members "}")
#define GATES(members) CONFIG("'developerConfiguration':{" members "}")
#define SIGNED(members) KV("'certificateRotateStrategy':{'selfSigned':{" members "}}")
#define PATCH(text)                                                                                \
    KV("'customizeComponents':{'patches':[{'resourceType':'Deployment','resourceName':'virt-api'," \
       "'type':'merge','patch':" text "}]}")
#define TLS(members) CONFIG("'tlsConfiguration':{" members "}")
#define SECCOMP(members) \
    CONFIG("'seccompConfiguration':{'virtualMachineInstanceProfile':{" members "}}")

#define SELF "spec.certificateRotateStrategy.selfSigned"
#define CIPHERS "spec.configuration.tlsConfiguration.ciphers"
#define PROFILE \
    "spec.configuration.seccompConfiguration.virtualMachineInstanceProfile.customProfile"
#define DEVELOPER "spec.configuration.developerConfiguration"

// clang-format off
static const struct change_case {
    const char *name, *object;
    const char *old; /* NULL: an empty spec */
    const char *want;
} cases[] = {
    { "nothing", KV(""), NULL, "" },
    { "an unknown field", KV("'image':'x'"), NULL, "FieldValueForbidden spec.image" },
    { "on its way out", "{'metadata':{'name':'k','deletionTimestamp':'2025-01-01T00:00:00Z'},'spec':{'infra':{'replicas':0}}}", NULL, "" },

    { "a patch", PATCH("'{}'"), NULL, "" },
    { "a patch that is YAML", PATCH("'spec: x'"), NULL, "FieldValueNotSupported spec.customizeComponents.patches[0].patch" },

    { "certificates", SIGNED("'ca':{'duration':'48h','renewBefore':'16h'},'server':{'duration':'24h','renewBefore':'8h'}"), NULL, "" },
    { "old spellings", SIGNED("'caRotateInterval':'168h','certRotateInterval':'24h','caOverlapInterval':'24h'"), NULL, "" },
    { "old and new spellings", SIGNED("'caRotateInterval':'168h','ca':{'duration':'168h'}"), NULL, "FieldValueNotSupported " SELF },
    { "an authority that is renewed too early", SIGNED("'ca':{'duration':'24h','renewBefore':'25h'}"), NULL, "FieldValueInvalid " SELF ".ca.renewBefore" },
    { "a certificate that is renewed too early", SIGNED("'server':{'duration':'1h','renewBefore':'2h'}"), NULL, "FieldValueInvalid " SELF ".server.renewBefore" },
    { "a certificate that outlives its authority", SIGNED("'ca':{'duration':'24h'},'server':{'duration':'25h'}"), NULL, "FieldValueInvalid " SELF ".server.duration" },
    { "an authority shorter than the usual certificate", SIGNED("'ca':{'duration':'1h'}"), NULL, "FieldValueInvalid " SELF ".server.duration" },
    { "no duration", SIGNED("'server':{'duration':'a day'}"), NULL, "FieldValueInvalid " SELF ".server.duration" },

    { "a ratio", CONFIG("'additionalGuestMemoryOverheadRatio':'1.25'"), NULL, "" },
    { "a ratio below one", CONFIG("'additionalGuestMemoryOverheadRatio':'0.9'"), NULL, "FieldValueNotSupported spec.configuration.additionalGuestMemoryOverheadRatio" },
    { "no ratio", CONFIG("'additionalGuestMemoryOverheadRatio':'much'"), NULL, "FieldValueNotSupported spec.configuration.additionalGuestMemoryOverheadRatio" },
    { "an endless ratio", CONFIG("'additionalGuestMemoryOverheadRatio':'inf'"), NULL, "FieldValueNotSupported spec.configuration.additionalGuestMemoryOverheadRatio" },

    { "ciphers of TLS 1.2", TLS("'minTLSVersion':'VersionTLS12','ciphers':['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256']"), NULL, "" },
    { "an unknown cipher", TLS("'minTLSVersion':'VersionTLS12','ciphers':['TLS_RSA_WITH_AES_128_GCM_SHA256','ROT13']"), NULL, "FieldValueNotSupported " CIPHERS "[1]" },
    { "ciphers of TLS 1.3", TLS("'minTLSVersion':'VersionTLS13','ciphers':['TLS_AES_128_GCM_SHA256']"), NULL, "FieldValueNotSupported " CIPHERS },
    { "ciphers of no version", TLS("'ciphers':['TLS_AES_128_GCM_SHA256']"), NULL, "FieldValueNotSupported " CIPHERS },
    { "ciphers that were there before", TLS("'ciphers':['ROT13']"), TLS("'ciphers':['ROT13']"), "" },

    { "a profile of the node", SECCOMP("'customProfile':{'localhostProfile':'kubevirt/p.json'}"), NULL, "" },
    { "both profiles", SECCOMP("'customProfile':{'localhostProfile':'p.json','runtimeDefaultProfile':true}"), NULL,
      "FieldValueInvalid " PROFILE ".localhostProfile FieldValueInvalid " PROFILE ".runtimeDefaultProfile" },
    { "no profile", SECCOMP(""), NULL, "FieldValueInvalid " PROFILE },
    { "no profile as before", SECCOMP(""), SECCOMP(""), "" },

    { "one replica", KV("'infra':{'replicas':1}"), NULL, "" },
    { "no replica", KV("'infra':{'replicas':0}"), NULL, "FieldValueInvalid spec.infra.replicas" },

    { "gates apart", GATES("'featureGates':['HostDisk'],'disabledFeatureGates':['Snapshot']"), NULL, "" },
    { "a gate on and off", GATES("'featureGates':['HostDisk','Snapshot'],'disabledFeatureGates':['VSOCK','Snapshot']"), NULL,
      "FieldValueInvalid " DEVELOPER ".disabledFeatureGates[1]" },
    { "a deprecated gate", GATES("'featureGates':['MultiArchitecture']"), NULL, " ! feature gate MultiArchitecture is deprecated and will be removed" },
    { "a gate that is no more", GATES("'featureGates':['Macvtap']"), NULL, " ! feature gate Macvtap is discontinued: listing it has no effect" },
    { "a gate that is always on", GATES("'featureGates':['LiveMigration']"), NULL, " ! feature gate LiveMigration is always on: it need not be listed" },
    { "a gate listed before", GATES("'featureGates':['Macvtap']"), GATES("'featureGates':['Macvtap']"), "" },

    { "roles by hand", CONFIG("'roleAggregationStrategy':'Manual'"), NULL, "" },
    { "roles by hand without the gate", CONFIG("'roleAggregationStrategy':'Manual','developerConfiguration':{'disabledFeatureGates':['OptOutRoleAggregation']}"), NULL,
      "FieldValueInvalid spec.configuration.roleAggregationStrategy" },
    { "roles aggregated without the gate", CONFIG("'roleAggregationStrategy':'AggregateToDefault','developerConfiguration':{'disabledFeatureGates':['OptOutRoleAggregation']}"), NULL, "" },

    { "a pause without gate", CONFIG("'migrations':{'maxDowntimeMs':500}"), NULL, "FieldValueInvalid spec.configuration.migrations.maxDowntimeMs" },
    { "a pause with the gate of stalls", CONFIG("'migrations':{'maxDowntimeMs':500},'developerConfiguration':{'featureGates':['MigrationStallDetection']}"), NULL, "" },
    { "a pause with the gate of tuning", CONFIG("'migrations':{'maxDowntimeMs':500},'developerConfiguration':{'featureGates':['MigrationDowntimeTuning']}"), NULL, "" },

    { "a configuration that cannot be used", CONFIG("'liveUpdateConfiguration':{'maxHotplugRatio':0}"), NULL,
      "FieldValueInvalid spec.configuration.liveUpdateConfiguration.maxHotplugRatio" },
    { "old names of mediated devices", CONFIG("'mediatedDevicesConfiguration':{'mediatedDevicesTypes':['a']}"), NULL,
      " ! spec.configuration.mediatedDevicesConfiguration.mediatedDevicesTypes is deprecated, use mediatedDeviceTypes" },
    { "old names of a node's mediated devices",
      CONFIG("'mediatedDevicesConfiguration':{'nodeMediatedDeviceTypes':[{'nodeSelector':{},'mediatedDevicesTypes':['a']}]}"), NULL,
      " ! spec.configuration.mediatedDevicesConfiguration.nodeMediatedDeviceTypes[0].mediatedDevicesTypes is deprecated, use mediatedDeviceTypes" },
};
// clang-format on

static void decides(void **state)
{
    const struct change_case *c = *state;
    const struct question q = { "/kubevirt-validate-update", .object = c->object,
                                .old = c->old ? c->old : KV("") };
    scoped(free) char *got = decision_of(&q, NULL);

    assert_string_equal(got, c->want);
}

int main(void)
{
    return RUN_ROWS("kubevirt rules", cases, decides);
}
