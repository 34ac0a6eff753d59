/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule rows: a spec, merged into a good one, and what is found: "Cause field" pairs, blank
 * between pairs.  "" is a spec that is fine.
 */
#include "base/buf.h"
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/rules.h"
#include "webhooks/rules_vm.h"
#include "webhooks/rules_vmi.h"

static const char good[] =
    "{'domain':{'devices':{},'memory':{'guest':'1Gi'}},'architecture':'amd64'}";

static const char gates_on[] =
    "{'spec':{'configuration':{'developerConfiguration':{'featureGates':['HostDisk','HostDevices',"
    "'VSOCK','DownwardMetrics','PortRangesSpec','NetworkDevicesWithDRA','WorkloadEncryptionTDX',"
    "'ReservedOverheadMemlock','EnableVirtioFsStorageVolumes','PersistentReservation']}}}}";
static const char stage[] = "{'spec':{'configuration':{'vmRolloutStrategy':'Stage'}}}";
static const char no_bridge[] =
    "{'spec':{'configuration':{'network':{'permitBridgeInterfaceOnPodNetwork':false}}}}";

struct rule_case {
    const char *name, *spec, *want;
    const char *config; /* NULL: the defaults */
};

#define ROW(title, given, found, ...)                                    \
    {                                                                    \
        .name = (title), .spec = (given), .want = (found), ##__VA_ARGS__ \
    }
#define DOMAIN(members) "{'domain':{" members "}}"
#define DEVICES(members) DOMAIN("'devices':{" members "}")
#define POD_NIC(members)                                                      \
    "{'networks':[{'name':'n','pod':{}}],'domain':{'devices':{'interfaces':[" \
    "{'name':'n'," members "}]}}}"

// clang-format off
static const struct rule_case cases[] = {
    ROW("a small machine is fine", "{}", ""),

    ROW("memory request below 1M", DOMAIN("'resources':{'requests':{'memory':'1k'}}"),
      "FieldValueInvalid domain.resources.requests.memory"),
    ROW("negative memory request", DOMAIN("'resources':{'requests':{'memory':'-64Mi'}}"),
      "FieldValueInvalid domain.resources.requests.memory"),
    ROW("memory request above its limit", DOMAIN("'resources':{'requests':{'memory':'2Gi'},'limits':{'memory':'1Gi'}}"),
      "FieldValueInvalid domain.resources.requests.memory"),
    ROW("negative memory limit", DOMAIN("'resources':{'limits':{'memory':'-1'}}"),
      "FieldValueInvalid domain.resources.limits.memory"),
    ROW("CPU request above its limit", DOMAIN("'resources':{'requests':{'cpu':'2'},'limits':{'cpu':'500m'}}"),
      "FieldValueInvalid domain.resources.requests.cpu"),
    ROW("huge page size without number", DOMAIN("'memory':{'hugepages':{'pageSize':'big'}}"),
      "FieldValueInvalid domain.memory.hugepages.pageSize"),
    ROW("huge page size of zero", DOMAIN("'memory':{'hugepages':{'pageSize':'0'}}"),
      "FieldValueInvalid domain.memory.hugepages.pageSize"),
    ROW("less memory than a huge page", DOMAIN("'memory':{'guest':'512Mi','hugepages':{'pageSize':'1Gi'}}"),
      "FieldValueInvalid domain.resources.requests.memory"),
    ROW("memory is no multiple of the huge page", DOMAIN("'memory':{'guest':'65Mi','hugepages':{'pageSize':'2Mi'}}"),
      "FieldValueInvalid domain.resources.requests.memory"),
    ROW("guest above limit may grow live", DOMAIN("'memory':{'guest':'2Gi'},'resources':{'limits':{'memory':'1Gi'}}"), ""),
    ROW("guest above limit, staged rollout", DOMAIN("'memory':{'guest':'2Gi'},'resources':{'limits':{'memory':'1Gi'}}"),
      "FieldValueInvalid domain.memory.guest", .config = stage),
    ROW("reserved overhead is gated", DOMAIN("'memory':{'reservedOverhead':{}}"),
      "FieldValueInvalid domain.memory.reservedOverhead"),
    ROW("reserved overhead with its gate", DOMAIN("'memory':{'reservedOverhead':{}}"), "", .config = gates_on),
    ROW("machine type of another architecture", DOMAIN("'machine':{'type':'virt'}"),
      "FieldValueInvalid domain.machine.type"),
    ROW("versioned machine type", DOMAIN("'machine':{'type':'pc-q35-7.2'}"), ""),
    ROW("negative cores", DOMAIN("'cpu':{'cores':-1}"), "FieldValueInvalid domain.cpu.cores"),
    ROW("more sockets than maxSockets", DOMAIN("'cpu':{'sockets':4,'maxSockets':2}"),
      "FieldValueInvalid domain.cpu.sockets"),
    ROW("pinned CPUs in halves", DOMAIN("'cpu':{'cores':1,'dedicatedCpuPlacement':true},'resources':{'requests':{'cpu':'500m'}}"),
      "FieldValueInvalid domain.resources.requests.cpu"),
    ROW("pinned CPUs unlike the topology", DOMAIN("'cpu':{'cores':2,'dedicatedCpuPlacement':true},'resources':{'limits':{'cpu':'3'}}"),
      "FieldValueInvalid domain.cpu.dedicatedCpuPlacement"),
    ROW("pinned CPUs without a number", DOMAIN("'cpu':{'dedicatedCpuPlacement':true}"),
      "FieldValueInvalid domain.cpu.dedicatedCpuPlacement"),
    ROW("pinned CPUs with four threads", DOMAIN("'cpu':{'cores':1,'threads':4,'dedicatedCpuPlacement':true}"),
      "FieldValueInvalid domain.cpu.dedicatedCpuPlacement"),
    ROW("emulator thread apart without pinning", DOMAIN("'cpu':{'isolateEmulatorThread':true}"),
      "FieldValueInvalid domain.cpu.isolateEmulatorThread"),
    ROW("NUMA without pinning and pages", DOMAIN("'cpu':{'numa':{'guestMappingPassthrough':{}}}"),
      "FieldValueInvalid domain.cpu.numa.guestMappingPassthrough FieldValueInvalid domain.cpu.numa.guestMappingPassthrough"),
    ROW("realtime without pinning and NUMA", DOMAIN("'cpu':{'realtime':{}}"),
      "FieldValueRequired domain.cpu.dedicatedCpuPlacement FieldValueRequired domain.cpu.numa.guestMappingPassthrough"),
    ROW("CPU feature with an unknown policy", DOMAIN("'cpu':{'features':[{'name':'vmx','policy':'please'}]}"),
      "FieldValueNotSupported domain.cpu.features[0].policy"),
    ROW("unknown I/O thread policy", DOMAIN("'ioThreadsPolicy':'many'"), "FieldValueInvalid domain.ioThreadsPolicy"),
    ROW("pool without a count", DOMAIN("'ioThreadsPolicy':'supplementalPool'"),
      "FieldValueInvalid domain.ioThreads.supplementalPoolThreadCount"),

    ROW("two boot loaders", DOMAIN("'firmware':{'bootloader':{'bios':{},'efi':{'secureBoot':false}}}"),
      "FieldValueInvalid domain.firmware.bootloader"),
    ROW("secure boot is on unless said", DOMAIN("'firmware':{'bootloader':{'efi':{}}}"), "FieldValueInvalid domain"),
    ROW("secure boot with SMM", DOMAIN("'firmware':{'bootloader':{'efi':{}}},'features':{'smm':{}}"), ""),
    ROW("kernel arguments without a kernel", DOMAIN("'firmware':{'kernelBoot':{'kernelArgs':'quiet'}}"),
      "FieldValueInvalid domain.firmware.kernelBoot.kernelArgs"),
    ROW("kernel image without a kernel", DOMAIN("'firmware':{'kernelBoot':{'container':{'image':'i'}}}"),
      "FieldValueRequired domain.firmware.kernelBoot.container"),
    ROW("relative kernel path", DOMAIN("'firmware':{'kernelBoot':{'container':{'image':'i','kernelPath':'boot'}}}"),
      "FieldValueInvalid domain.firmware.kernelBoot.container.kernelPath"),
    ROW("kernel path that leaves the image", DOMAIN("'firmware':{'kernelBoot':{'container':{'image':'i','kernelPath':'/../etc/shadow'}}}"),
      "FieldValueInvalid domain.firmware.kernelBoot.container.kernelPath"),
    ROW("ACPI table of no volume", DOMAIN("'firmware':{'acpi':{'slicNameRef':'nope'}}"),
      "FieldValueInvalid domain.firmware.acpi.slicNameRef"),
    ROW("encryption of an unknown kind", DOMAIN("'launchSecurity':{}"), "FieldValueForbidden domain.launchSecurity"),
    ROW("encryption on arm64", "{'architecture':'arm64','domain':{'launchSecurity':{'sev':{}}}}",
      "FieldValueInvalid architecture"),
    ROW("SEV without EFI", DOMAIN("'launchSecurity':{'sev':{}}"), "FieldValueInvalid domain.launchSecurity"),
    ROW("SEV with EFI", DOMAIN("'launchSecurity':{'sev':{}},'firmware':{'bootloader':{'efi':{'secureBoot':false}}}"), ""),
    ROW("TDX is gated", DOMAIN("'launchSecurity':{'tdx':{}},'firmware':{'bootloader':{'efi':{'secureBoot':false}}}"),
      "FieldValueInvalid domain.launchSecurity"),

    ROW("disk without volume", DEVICES("'disks':[{'name':'a','disk':{}}]"), "FieldValueInvalid domain.devices.disks[0].name"),
    ROW("empty CD-ROM drive", DEVICES("'disks':[{'name':'a','cdrom':{'bus':'sata'}}]"), ""),
    ROW("disk that is two things", DEVICES("'disks':[{'name':'a','disk':{},'cdrom':{}}]"),
      "FieldValueInvalid domain.devices.disks[0]"),
    ROW("disk and LUN: the bus of the disk is looked at", DEVICES("'disks':[{'name':'a','disk':{'bus':'x'},'lun':{'bus':'y'}}]"),
      "FieldValueInvalid domain.devices.disks[0] FieldValueInvalid domain.devices.disks[0].disk.bus "
      "FieldValueInvalid domain.devices.disks[0].name"),
    ROW("bad port ranges without the gate", POD_NIC("'masquerade':{},'portRanges':[{'protocol':'X','start':9,'end':2}]"),
      "FieldValueInvalid domain.devices.interfaces[0].portRanges"),
    ROW("network without a name", "{'networks':[{'pod':{}}]}", "FieldValueRequired networks[0].name"),
    ROW("network and interface without a name", "{'networks':[{'pod':{}}],'domain':{'devices':{'interfaces':[{'masquerade':{}}]}}}",
      "FieldValueInvalid domain.devices.interfaces[0].name"),
    ROW("one spread constraint twice", "{'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'},"
      "{'maxSkew':2,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'}]}", "FieldValueDuplicate topologySpreadConstraints[1]"),
    ROW("disk name with capitals", DEVICES("'disks':[{'name':'A','cdrom':{}}]"), "FieldValueInvalid domain.devices.disks[0].name"),
    ROW("disk without a name", DEVICES("'disks':[{'cdrom':{}}]"), "FieldValueInvalid domain.devices.disks[0].name"),
    ROW("two disks of one name", DEVICES("'disks':[{'name':'a','cdrom':{}},{'name':'a','cdrom':{}}]"),
      "FieldValueInvalid domain.devices.disks[1].name"),
    ROW("IDE", DEVICES("'disks':[{'name':'a','cdrom':{'bus':'ide'}}]"), "FieldValueInvalid domain.devices.disks[0].cdrom.bus"),
    ROW("virtio CD-ROM", DEVICES("'disks':[{'name':'a','cdrom':{'bus':'virtio'}}]"),
      "FieldValueInvalid domain.devices.disks[0].cdrom.bus"),
    ROW("I/O thread for a SATA drive", DEVICES("'disks':[{'name':'a','cdrom':{'bus':'sata'},'dedicatedIOThread':true}]"),
      "FieldValueNotSupported domain.devices.disks[0]"),
    ROW("serial with a blank", DEVICES("'disks':[{'name':'a','cdrom':{},'serial':'a b'}]"),
      "FieldValueInvalid domain.devices.disks[0].serial"),
    ROW("unknown cache mode", DEVICES("'disks':[{'name':'a','cdrom':{},'cache':'fast'}]"),
      "FieldValueInvalid domain.devices.disks[0].cache"),
    ROW("unknown I/O mode", DEVICES("'disks':[{'name':'a','cdrom':{},'io':'fast'}]"),
      "FieldValueNotSupported domain.devices.disks[0].io"),
    ROW("unknown error policy", DEVICES("'disks':[{'name':'a','cdrom':{},'errorPolicy':'cry'}]"),
      "FieldValueInvalid domain.devices.disks[0].errorPolicy"),
    ROW("boot order of zero", DEVICES("'disks':[{'name':'a','cdrom':{},'bootOrder':0}]"),
      "FieldValueInvalid domain.devices.disks[0].bootOrder"),
    ROW("one boot order twice", DEVICES("'disks':[{'name':'a','cdrom':{},'bootOrder':1},{'name':'b','cdrom':{},'bootOrder':1}]"),
      "FieldValueInvalid domain.devices.disks[1].bootOrder"),
    ROW("logical block above physical", DEVICES("'disks':[{'name':'a','cdrom':{},'blockSize':{'custom':{'logical':4096,'physical':512}}}]"),
      "FieldValueInvalid domain.devices.disks[0].blockSize.custom.logical"),
    ROW("block size that is no power of two", DEVICES("'disks':[{'name':'a','cdrom':{},'blockSize':{'custom':{'logical':512,'physical':600}}}]"),
      "FieldValueInvalid domain.devices.disks[0].blockSize.custom.physical"),
    ROW("reservation is off", "{'domain':{'devices':{'disks':[{'name':'a','lun':{'bus':'scsi','reservation':true}}]}},"
      "'volumes':[{'name':'a','dataVolume':{'name':'d'}}]}", "FieldValueInvalid domain.devices.disks[0].lun.reservation"),
    ROW("reservation is on", "{'domain':{'devices':{'disks':[{'name':'a','lun':{'bus':'scsi','reservation':true}}]}},"
      "'volumes':[{'name':'a','dataVolume':{'name':'d'}}]}", "", .config = gates_on),
    ROW("lun of an empty disk", "{'domain':{'devices':{'disks':[{'name':'a','lun':{}}]}},"
      "'volumes':[{'name':'a','emptyDisk':{'capacity':'1Gi'}}]}", "FieldValueInvalid domain.devices.disks[0].lun"),
    ROW("shared claim is gated", "{'domain':{'devices':{'filesystems':[{'name':'a','virtiofs':{}}]}},"
      "'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'c'}}]}", "FieldValueInvalid domain.devices.filesystems[0]"),

    ROW("volume without source", "{'volumes':[{'name':'a'}]}", "FieldValueInvalid volumes[0]"),
    ROW("volume with two sources", "{'volumes':[{'name':'a','emptyDisk':{'capacity':'1'},'memoryDump':{'claimName':'c'}}]}",
      "FieldValueInvalid volumes[0]"),
    ROW("two volumes of one name", "{'volumes':[{'name':'a','emptyDisk':{'capacity':'1'}},{'name':'a','emptyDisk':{'capacity':'1'}}]}",
      "FieldValueInvalid volumes[1].name"),
    ROW("data volume without name", "{'volumes':[{'name':'a','dataVolume':{'name':''}}]}", "FieldValueRequired volumes[0].name"),
    ROW("cloud-init without data", "{'volumes':[{'name':'a','cloudInitNoCloud':{}}]}", "FieldValueInvalid volumes[0].cloudInitNoCloud"),
    ROW("cloud-init data in two ways", "{'volumes':[{'name':'a','cloudInitNoCloud':{'userData':'x','secretRef':{'name':'s'}}}]}",
      "FieldValueInvalid volumes[0].cloudInitNoCloud"),
    ROW("cloud-init with broken base64", "{'volumes':[{'name':'a','cloudInitNoCloud':{'userDataBase64':'?'}}]}",
      "FieldValueInvalid volumes[0].cloudInitNoCloud.userDataBase64"),
    ROW("host disk is gated", "{'volumes':[{'name':'a','hostDisk':{'path':'/a','type':'Disk'}}]}", "FieldValueInvalid volumes[0]"),
    ROW("host disk of an unknown type", "{'volumes':[{'name':'a','hostDisk':{'path':'/a','type':'Tape'}}]}",
      "FieldValueInvalid volumes[0].hostDisk.type", .config = gates_on),
    ROW("ConfigMap without name", "{'volumes':[{'name':'a','configMap':{}}]}", "FieldValueInvalid volumes[0].configMap.name"),
    ROW("container disk with a way out", "{'volumes':[{'name':'a','containerDisk':{'image':'i','path':'/disk/../../etc'}}]}",
      "FieldValueInvalid volumes[0].containerDisk"),
    ROW("two service accounts", "{'volumes':[{'name':'a','serviceAccount':{'serviceAccountName':'x'}},{'name':'b','serviceAccount':{'serviceAccountName':'x'}}]}",
      "FieldValueInvalid volumes[1]"),

    ROW("pod network by masquerade", POD_NIC("'masquerade':{}"), ""),
    ROW("interface without binding", POD_NIC("'model':'virtio'"), "FieldValueInvalid domain.devices.interfaces[0]"),
    ROW("interface of no network", DEVICES("'interfaces':[{'name':'x','bridge':{}}]"), "FieldValueInvalid domain.devices.interfaces[0].name"),
    ROW("network without interface", "{'networks':[{'name':'n','pod':{}}]}", "FieldValueRequired networks[0].name"),
    ROW("bridge is not permitted", POD_NIC("'bridge':{}"), "FieldValueInvalid domain.devices.interfaces[0].name", .config = no_bridge),
    ROW("masquerade with the gateway's MAC", POD_NIC("'masquerade':{},'macAddress':'02:00:00:00:00:00'"),
      "FieldValueInvalid domain.devices.interfaces[0].macAddress"),
    ROW("MAC of eight bytes", POD_NIC("'masquerade':{},'macAddress':'02:00:00:00:00:00:00:01'"),
      "FieldValueInvalid domain.devices.interfaces[0].macAddress"),
    ROW("MAC with dots", POD_NIC("'masquerade':{},'macAddress':'0200.0000.0001'"), ""),
    ROW("MAC with a stray separator", POD_NIC("'masquerade':{},'macAddress':'02:00-00:00:00:01'"),
      "FieldValueInvalid domain.devices.interfaces[0].macAddress"),
    ROW("short PCI address", POD_NIC("'masquerade':{},'pciAddress':'81:01.0'"), "FieldValueInvalid domain.devices.interfaces[0].pciAddress"),
    ROW("PCI function 8", POD_NIC("'masquerade':{},'pciAddress':'0000:81:01.8'"), "FieldValueInvalid domain.devices.interfaces[0].pciAddress"),
    ROW("unknown model", POD_NIC("'masquerade':{},'model':'ne1000'"), "FieldValueNotSupported domain.devices.interfaces[0].model"),
    ROW("unknown link state", POD_NIC("'masquerade':{},'state':'sideways'"), "FieldValueInvalid domain.devices.interfaces[0].state"),
    ROW("port of zero", POD_NIC("'masquerade':{},'ports':[{'port':0}]"), "FieldValueRequired domain.devices.interfaces[0].ports[0].port"),
    ROW("port above the last", POD_NIC("'masquerade':{},'ports':[{'port':65536}]"), "FieldValueInvalid domain.devices.interfaces[0].ports[0].port"),
    ROW("port name with capitals", POD_NIC("'masquerade':{},'ports':[{'port':1,'name':'SSH'}]"), "FieldValueInvalid domain.devices.interfaces[0].ports[0].name"),
    ROW("two ports of one name", POD_NIC("'masquerade':{},'ports':[{'port':1,'name':'a'},{'port':2,'name':'a'}]"), "FieldValueDuplicate domain.devices.interfaces[0].ports"),
    ROW("port ranges are gated", POD_NIC("'masquerade':{},'portRanges':[{'protocol':'TCP','start':1,'end':2}]"),
      "FieldValueInvalid domain.devices.interfaces[0].portRanges"),
    ROW("port ranges that overlap", POD_NIC("'masquerade':{},'portRanges':[{'protocol':'TCP','start':1,'end':9},{'protocol':'TCP','start':9,'end':10}]"),
      "FieldValueInvalid domain.devices.interfaces[0].portRanges", .config = gates_on),
    ROW("private DHCP option out of range", POD_NIC("'masquerade':{},'dhcpOptions':{'privateOptions':[{'option':6,'value':'v'}]}"),
      "FieldValueInvalid domain.devices.interfaces[0].dhcpOptions.privateOptions[0].option"),
    ROW("NTP server by name", POD_NIC("'masquerade':{},'dhcpOptions':{'ntpServers':['ntp']}"),
      "FieldValueInvalid domain.devices.interfaces[0].dhcpOptions.ntpServers[0]"),
    ROW("network of two sources", "{'networks':[{'name':'n','pod':{},'multus':{'networkName':'x'}}],'domain':{'devices':{'interfaces':[{'name':'n','masquerade':{}}]}}}",
      "FieldValueRequired networks[0]"),

    ROW("keyboard", DEVICES("'inputs':[{'name':'k','bus':'usb','type':'keyboard'}]"), "FieldValueInvalid domain.devices.inputs[0].type"),
    ROW("input on an unknown bus", DEVICES("'inputs':[{'name':'k','bus':'ps2','type':'tablet'}]"), "FieldValueInvalid domain.devices.inputs[0].bus"),
    ROW("sound card without name", DEVICES("'sound':{'model':'ac97'}"), "FieldValueInvalid domain.devices.sound"),
    ROW("VSOCK is gated", DEVICES("'autoattachVSOCK':true"), "FieldValueInvalid domain.devices.autoattachVSOCK"),
    ROW("VSOCK switched off is fine", DEVICES("'autoattachVSOCK':false"), ""),
    ROW("metrics device is gated", DEVICES("'downwardMetrics':{}"), "FieldValueInvalid domain.devices.downwardMetrics"),
    ROW("video without graphics", DEVICES("'video':{'type':'vga'},'autoattachGraphicsDevice':false"), "FieldValueInvalid domain.devices.video"),
    ROW("unknown panic device", DEVICES("'panicDevices':[{'model':'scream'}]"), "FieldValueInvalid domain.devices.panicDevices[0].model"),
    ROW("host devices are gated", DEVICES("'hostDevices':[{'name':'h','deviceName':'d'}]"), "FieldValueInvalid domain.devices.hostDevices"),
    ROW("host devices with the gate", DEVICES("'hostDevices':[{'name':'h','deviceName':'d'}]"), "", .config = gates_on),
    ROW("GPU of no name and no claim", DEVICES("'gpus':[{'name':'g'}]"), "FieldValueRequired domain.devices.gpus"),
    ROW("GPU of a claim that is not there", DEVICES("'gpus':[{'name':'g','claimName':'c','requestName':'r'}]"), "FieldValueInvalid resourceClaims"),
    ROW("claim without source", "{'resourceClaims':[{'name':'c'}]}", "FieldValueInvalid resourceClaims[0]"),
    ROW("claim without name", "{'resourceClaims':[{'resourceClaimName':'c'}]}", "FieldValueRequired resourceClaims[0].name"),

    ROW("host name of two labels", "{'hostname':'a.b'}", "FieldValueInvalid hostname"),
    ROW("subdomain with capitals", "{'subdomain':'A'}", "FieldValueInvalid subdomain"),
    ROW("unknown start strategy", "{'startStrategy':'Later'}", "FieldValueInvalid startStrategy"),
    ROW("unknown eviction strategy", "{'evictionStrategy':'Shove'}", "FieldValueInvalid evictionStrategy"),
    ROW("probe that asks nothing", "{'livenessProbe':{}}", "FieldValueRequired livenessProbe"),
    ROW("HTTP probe without pod network", "{'readinessProbe':{'httpGet':{'port':80}}}", "FieldValueInvalid readinessProbe.httpGet"),
    ROW("probe that asks twice", "{'readinessProbe':{'exec':{'command':['x']},'guestAgentPing':{}}}", "FieldValueInvalid readinessProbe"),
    ROW("DNS policy None alone", "{'dnsPolicy':'None'}", "FieldValueRequired dnsConfig"),
    ROW("unknown DNS policy", "{'dnsPolicy':'Guess'}", "FieldValueNotSupported dnsPolicy"),
    ROW("name server that is no address", "{'dnsConfig':{'nameservers':['a']}}", "FieldValueInvalid dnsConfig.nameservers[0]"),
    ROW("DNS option without name", "{'dnsConfig':{'options':[{}]}}", "FieldValueInvalid dnsConfig.options[0].name"),
    ROW("utility volumes on creation", "{'utilityVolumes':[{'name':'u','claimName':'c'}]}", "FieldValueInvalid utilityVolumes"),
    ROW("credential of no kind", "{'accessCredentials':[{}]}", "FieldValueInvalid accessCredentials[0]"),
    ROW("keys by a volume that is not there", "{'accessCredentials':[{'sshPublicKey':{'source':{'secret':{'secretName':'s'}},'propagationMethod':{'noCloud':{}}}}]}",
      "FieldValueInvalid accessCredentials[0].sshPublicKey.propagationMethod"),
    ROW("keys for nobody", "{'accessCredentials':[{'sshPublicKey':{'source':{'secret':{'secretName':'s'}},'propagationMethod':{'qemuGuestAgent':{'users':[]}}}}]}",
      "FieldValueInvalid accessCredentials[0].sshPublicKey.propagationMethod.qemuGuestAgent.users"),

    ROW("every fault at once", "{'hostname':'A','domain':{'cpu':{'cores':-1},'devices':{'inputs':[{'name':'k','type':'mouse'}]}},'volumes':[{'name':'a'}]}",
      "FieldValueInvalid domain.cpu.cores FieldValueInvalid volumes[0] FieldValueInvalid domain.devices.inputs[0].type FieldValueInvalid hostname"),
    ROW("wrong types where core types are opaque", "{'dnsConfig':{'nameservers':'x','searches':[1],'options':{}},'topologySpreadConstraints':[{'maxSkew':'a','topologyKey':1}]}",
      "FieldValueInvalid dnsConfig.searches[0] FieldValueInvalid topologySpreadConstraints[0].maxSkew "
      "FieldValueRequired topologySpreadConstraints[0].topologyKey FieldValueNotSupported topologySpreadConstraints[0].whenUnsatisfiable"),
};

/* Those that hold for an instance only. */
static const struct rule_case vmi_cases[] = {
    ROW("volume that nothing shows", "{'volumes':[{'name':'a','emptyDisk':{'capacity':'1Gi'}}]}", "FieldValueInvalid volumes[0].name"),
    ROW("memory dump is shown by nothing", "{'volumes':[{'name':'a','memoryDump':{'claimName':'c'}}]}", ""),
    ROW("no amount of memory", "{'domain':{'memory':null}}", "FieldValueRequired domain"),
    ROW("Hyper-V part without what it needs", "{'domain':{'features':{'hyperv':{'synic':{'enabled':true},'vpindex':{'enabled':false}}}}}",
      "FieldValueInvalid domain.features.hyperv"),
    ROW("Hyper-V twice", "{'domain':{'features':{'hyperv':{},'hypervPassthrough':{}}}}", "FieldValueInvalid domain.features.hypervPassthrough"),
    ROW("nested Hyper-V without vmx", "{'domain':{'features':{'hyperv':{'evmcs':{},'vapic':{}}}}}", "FieldValueRequired domain.features.hyperv.evmcs"),
    ROW("unknown architecture", "{'architecture':'ppc'}", "FieldValueInvalid architecture"),
    ROW("s390x watchdog on amd64", "{'domain':{'devices':{'watchdog':{'name':'w','diag288':{}}}}}", "FieldValueNotSupported domain.devices.watchdog"),
    ROW("SATA on arm64", "{'architecture':'arm64','domain':{'cpu':{'model':'host-passthrough'},'devices':{'disks':[{'name':'a','disk':{'bus':'sata'}}]}}}",
      "FieldValueNotSupported domain.devices.disks[0].disk.bus"),
    ROW("BIOS on arm64", "{'architecture':'arm64','domain':{'firmware':{'bootloader':{'bios':{}}}}}", "FieldValueNotSupported domain.firmware.bootloader.bios"),
    ROW("video without type on s390x", "{'architecture':'s390x','domain':{'devices':{'video':{}}}}", "FieldValueNotSupported domain.devices.video.type"),
};
// clang-format on

static char *found(const struct findings *f)
{
    struct buf text = BUF_INIT(0);

    for (size_t i = 0; i < f->len; i++)
        (void)buf_addf(&text, "%s%s %s", i ? " " : "", cause_text(f->item[i].cause),
                       f->item[i].field + strlen("spec."));
    return buf_take(&text);
}

static void check(const struct rule_case *c, void (*run)(const struct subject *, struct findings *))
{
    json_auto_t *base = json_q(good);
    json_auto_t *change = json_q(c->spec);
    json_auto_t *spec = jmerge_apply(base, change);
    json_auto_t *kubevirt = json_q(c->config);
    struct cluster_config *config = NULL;
    const struct at at = AT_NAME(NULL, "spec");
    struct error e;
    scoped_findings f;

    findings_init(&f);
    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    const struct subject s = subject_of(spec, &at, config, true);
    run(&s, &f);

    scoped(free) char *got = found(&f);
    assert_string_equal(got, c->want);
    for (size_t i = 0; i < f.len; i++)
        assert_true(*f.item[i].message != '\0');
    cluster_config_unref(config);
}

static void spec_is_judged(void **state)
{
    check(*state, rules_check_spec);
}

static void run_vmi_rules(const struct subject *s, struct findings *out)
{
    rules_run(vmi_create_rules, s, out);
    check_architecture(s, out);
}

static void instance_is_judged(void **state)
{
    check(*state, run_vmi_rules);
}

/* A row needs a function, and a message unless its function words them. */
static void tables_end(void **state)
{
    static const struct rule *const tables[] = {
        compute_rules, firmware_rules, disk_rules, storage_rules,    volume_rules, network_rules,
        device_rules,  claim_rules,    pod_rules,  credential_rules, preset_rules, vm_template_rules
    };

    for (size_t t = 0; t < countof(tables); t++) {
        size_t n = 0;

        for (const struct rule *r = tables[t]; r->check; r++, n++) {
            assert_non_null(r->path);
            assert_int_equal(r->rows != NULL, r->check == rule_below || r->check == rule_each);
            assert_true(n < 100);
        }
        assert_true(n > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tables[] = { cmocka_unit_test(tables_end) };
    int failed = RUN_ROWS("rules", cases, spec_is_judged);

    failed += RUN_ROWS("rules of instances", vmi_cases, instance_is_judged);
    failed += cmocka_run_group_tests_name("rule tables", tables, NULL, NULL);
    return failed;
}
