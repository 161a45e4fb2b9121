/* Says whether what Java binds is what nccl.h and cuda.h declare; prints how ncclConfig_t lies in memory. Compiles only where it is. */
/* nccl.h includes the headers of CUDA's short number formats, uses nothing of them, and they are not C */
#define __CUDA_FP16_H__
#define __CUDA_BF16_H__
#define __CUDA_FP8_H__
#include <cuda.h>
#include <nccl.h>
#include <stddef.h>
#include <stdio.h>

#define SAME(function, ...) \
  _Static_assert(__builtin_types_compatible_p(__typeof__(&function), __VA_ARGS__), #function " is declared otherwise")
#define IS(value, expected) _Static_assert((value) == (expected), #value " is not " #expected)

/* NcclLibrary.SIGNATURES */
SAME(ncclGetVersion, ncclResult_t (*)(int *));
SAME(ncclGetErrorString, const char *(*)(ncclResult_t));
SAME(ncclGetLastError, const char *(*)(ncclComm_t));
SAME(ncclGetUniqueId, ncclResult_t (*)(ncclUniqueId *));
SAME(ncclCommInitRankConfig, ncclResult_t (*)(ncclComm_t *, int, ncclUniqueId, int, ncclConfig_t *));
SAME(ncclCommGetAsyncError, ncclResult_t (*)(ncclComm_t, ncclResult_t *));
SAME(ncclCommAbort, ncclResult_t (*)(ncclComm_t));
SAME(ncclGroupStart, ncclResult_t (*)());
SAME(ncclGroupEnd, ncclResult_t (*)());
SAME(ncclSend, ncclResult_t (*)(const void *, size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t));
SAME(ncclRecv, ncclResult_t (*)(void *, size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t));
SAME(ncclAllGather, ncclResult_t (*)(const void *, void *, size_t, ncclDataType_t, ncclComm_t, cudaStream_t));

/* CudaDriver.SIGNATURES; two have their version in their name, which the header's macros hide */
SAME(cuInit, CUresult (*)(unsigned int));
SAME(cuGetErrorString, CUresult (*)(CUresult, const char **));
SAME(cuDeviceGetCount, CUresult (*)(int *));
SAME(cuDeviceGet, CUresult (*)(CUdevice *, int));
SAME(cuDeviceTotalMem_v2, CUresult (*)(size_t *, CUdevice));
SAME(cuDevicePrimaryCtxRetain, CUresult (*)(CUcontext *, CUdevice));
SAME(cuCtxSetCurrent, CUresult (*)(CUcontext));
SAME(cuStreamCreate, CUresult (*)(CUstream *, unsigned int));
SAME(cuStreamWaitEvent, CUresult (*)(CUstream, CUevent, unsigned int));
SAME(cuEventCreate, CUresult (*)(CUevent *, unsigned int));
SAME(cuEventRecord, CUresult (*)(CUevent, CUstream));
SAME(cuEventQuery, CUresult (*)(CUevent));
SAME(cuEventDestroy_v2, CUresult (*)(CUevent));

/* widths that Java takes for granted */
IS(sizeof(ncclResult_t), 4);
IS(sizeof(ncclDataType_t), 4);
IS(sizeof(CUresult), 4);
IS(sizeof(CUdevice), 4);
IS(sizeof(size_t), 8);
IS(sizeof(ncclUniqueId), 128);

/* values */
IS(NCCL_VERSION_CODE, 22602);
IS(ncclSuccess, 0);
IS(ncclInvalidArgument, 4);
IS(ncclInvalidUsage, 5);
IS(ncclInProgress, 7);
IS(ncclFloat32, 7);
IS(ncclBfloat16, 9);
IS(CUDA_SUCCESS, 0);
IS(CUDA_ERROR_NOT_READY, 600);
IS(CU_STREAM_NON_BLOCKING, 1);
IS(CU_EVENT_DISABLE_TIMING, 2);

#define FIELD(name) printf(#name " %zu\n", offsetof(ncclConfig_t, name))

int main(void) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  FIELD(size);
  FIELD(magic);
  FIELD(version);
  FIELD(blocking);
  FIELD(cgaClusterSize);
  FIELD(minCTAs);
  FIELD(maxCTAs);
  FIELD(netName);
  FIELD(splitShare);
  FIELD(trafficClass);
  printf("bytes");
  for (size_t i = 0; i < sizeof config; i++) {
    printf(" %d", ((signed char *)&config)[i]);
  }
  printf("\n");
  return 0;
}
